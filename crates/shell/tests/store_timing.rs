#![cfg(feature = "native-redis")]
mod store_support;
use store_support::*;
use tradewind_kernel::decision::*;
use tradewind_kernel::event::Domain;
use tradewind_shell::store::*;
async fn stats(s:&Server, what:&str, n:u32, t:std::time::Instant){
 let mut c=s.connection().await;
 let v:String=redis::cmd("INFO").arg("commandstats").query_async(&mut c).await.unwrap();
 for l in v.lines().filter(|l|l.starts_with("cmdstat_fcall")){println!("{what}: client {:?}/call; {l}",t.elapsed()/n);}
 let _:()=redis::cmd("CONFIG").arg("RESETSTAT").query_async(&mut c).await.unwrap();
}
#[test] fn timing(){ block_on(async{
 let b=Redis::start().await; let s=&b.store;
 write(s,vec![put("item","{}"),add("g","hand",1_000_000)]).await;
 let cnt=|f:&str,t|Term::Counter{counters:"g".into(),field:f.into(),times:t};
 let n=5000;
 for (d,name) in [(1,"empty"),(2,"reserve, 3 guards, 2 checks, 5 writes, 1 event, key"),(3,"reserve 20 lines")] {
 let t=std::time::Instant::now();
 for i in 0..n { let mut c=commit(Domain::Inventory);
  if d>1 { let lines=if d==3{20}else{1};
   c.idempotency=Some(Idempotency{key:format!("k{d}{i}"),request:"h".repeat(64),keep_seconds:604800,reply:"x".repeat(300)});
   c.needs=Needs::Types(vec!["finance.settings-changed","inventory.day-turned"]);
   c.checks=vec![Check::Record{key:"item".into(),version:1},Check::Record{key:"network".into(),version:0}];
   for l in 0..lines { for k in 0..3 { c.guards.push(Guard{sum:Sum{constant:-1,terms:vec![cnt("hand",1),cnt(&format!("c{k}"),-1),Term::Remaining{quantity:100,counters:"g".into(),field:format!("h{k}"),times:-1}]},floor:Floor::MinimumOf(vec![Sum{constant:0,terms:vec![cnt("c9",1)]}])}); }
    c.writes.extend([put(&format!("res{i}-{l}"),&"y".repeat(300)),add("g",&format!("c{l}"),1),add("g2","x",1),Write::Index{index:"due".into(),member:format!("r{i}{l}"),score:i},Write::Mark{item:format!("it{l}")}]); }
   c.events=vec![event("inventory.reserved")];
  }
  done(s,&c).await; }
 stats(&b.server,name,n as u32,t).await; }
 let t=std::time::Instant::now();
 for _ in 0..n { read(s,vec![Read::Record{key:"item".into()},Read::Record{key:"network".into()},Read::Counters{key:"g".into()},Read::Record{key:"res1-0".into()}]).await; }
 stats(&b.server,"read of 4",n as u32,t).await;
 let t=std::time::Instant::now();
 for _ in 0..200 { b.store.cut(TENANT,Domain::Finance,64).await.unwrap(); }
 stats(&b.server,"cut 64 of 64",200,t).await;
 let t=std::time::Instant::now();
 for _ in 0..200 { b.store.cut(TENANT,Domain::Planning,64).await.unwrap(); }
 stats(&b.server,"cut with nothing",200,t).await;
 tell(s,Domain::Inventory,&["inventory.item-set"]).await;
 let t=std::time::Instant::now();
 for _ in 0..200 { b.store.cut(TENANT,Domain::Planning,64).await.unwrap(); }
 stats(&b.server,"cut passing over 512",200,t).await;
 let c=Commit{writes:(0..2048).map(|i|put(&format!("big{i}"),&"z".repeat(300))).collect(),..commit(Domain::Inventory)};
 let t=std::time::Instant::now();
 for _ in 0..50 { done(s,&c).await; }
 stats(&b.server,"2048 puts",50,t).await;
 let c=Commit{events:(0..2048).map(|_|event("inventory.reserved")).collect(),..commit(Domain::Inventory)};
 let t=std::time::Instant::now();
 for _ in 0..50 { done(s,&c).await; }
 stats(&b.server,"2048 events",50,t).await;
});}
