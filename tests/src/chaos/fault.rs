//! What can go wrong, and how it is brought about.
//!
//! Each trouble begins under load, lasts while the clients go on asking, and is over when
//! [`Ground::trouble`] returns. What cannot be brought about on this machine is an error.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::cascade::Cascade;
use super::proxy::{Proxy, Road};
use super::redis::{Server, until};
use crate::chance::Chance;
use crate::crowd::{Signals, TODAY};
use crate::driver::Driver;
use crate::history::logs::Caution;
use crate::hosted::{Hosted, Victim};
use crate::resp;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it, and docs/chaos.md says more")]
pub enum Fault {
    HostKilled,
    RedisKilled,
    BothKilled,
    HostHeld,
    RedisHeld,
    DiskFull,
    DiskFullEverySecond,
    MemoryFull,
    ScriptsFlushed,
    RedisWithoutScripts,
    ReplicaHeld,
    ReplicaPromoted,
    RedisSlow,
    NetworkCut,
    NetworkHeld,
    ConnectionsLost,
    ClockMoved,
    CascadeCut,
}

impl Fault {
    /// Each of them.
    pub const ALL: [Self; 18] = [
        Self::HostKilled,
        Self::RedisKilled,
        Self::BothKilled,
        Self::HostHeld,
        Self::RedisHeld,
        Self::DiskFull,
        Self::DiskFullEverySecond,
        Self::MemoryFull,
        Self::ScriptsFlushed,
        Self::RedisWithoutScripts,
        Self::ReplicaHeld,
        Self::ReplicaPromoted,
        Self::RedisSlow,
        Self::NetworkCut,
        Self::NetworkHeld,
        Self::ConnectionsLost,
        Self::ClockMoved,
        Self::CascadeCut,
    ];

    /// Whether there must be a replica for it.
    #[must_use]
    pub fn needs_replica(self) -> bool {
        matches!(self, Self::ReplicaHeld | Self::ReplicaPromoted)
    }

    /// Whether connections to Redis break in it. (Those of a cascade that is cut break at one moment
    /// of it, which is noted there.)
    #[must_use]
    pub fn breaks_connections(self) -> bool {
        matches!(
            self,
            Self::RedisKilled
                | Self::BothKilled
                | Self::DiskFull
                | Self::RedisWithoutScripts
                | Self::ReplicaPromoted
                | Self::NetworkCut
                | Self::ConnectionsLost
        )
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| format!("{fault:?}") == name)
    }
}

/// Milliseconds that most troubles last, at least and at most.
const LASTS_MILLIS: (u64, u64) = (150, 700);

/// How long a replica is held: longer than a commit waits for it, so that clients repeat theirs.
const REPLICA_HELD: Duration = Duration::from_millis(2_500);

/// Milliseconds that slow Redis takes longer for each load, in each direction.
const SLOW_MILLIS: (u64, u64) = (5, 60);

/// Bytes that a disk has left when it is about to be full.
const DISK_LEFT: (u64, u64) = (0, 4_000);

/// Bytes that a Redis has left when its memory is about to be full.
const MEMORY_LEFT: (u64, u64) = (0, 40_000);

/// Instants that the business clock is moved to: the same day, the next days, the days before.
const MOMENTS: [&str; 5] = [
    "2026-12-01T21:30:00Z",
    "2026-12-02T00:00:00Z",
    "2026-12-03T06:00:00Z",
    "2026-12-01T02:00:00Z",
    "2026-11-28T12:00:00Z",
];

/// After every other moment: what was held then has expired when the clients have gone.
pub const LAST_MOMENT: &str = "2026-12-04T09:00:00Z";

/// What the host rests on.
pub struct Ground {
    /// The road to Redis.
    pub proxy: Proxy,
    /// The Redis at its end.
    pub primary: Server,
    /// Its replica, if there is one.
    pub replica: Option<Server>,
    /// Where their folders are.
    pub folder: PathBuf,
    /// Servers that were started.
    pub servers: u32,
    /// The tenant with the large cascade, when it is needed first.
    pub cascade: Option<Cascade>,
    /// Lines of that cascade.
    lines: usize,
}

impl Ground {
    /// A primary, perhaps with a replica, and the road to it.
    ///
    /// # Errors
    /// They do not start.
    pub fn new(folder: PathBuf, replicated: bool, lines: usize) -> Result<Self> {
        let primary = Server::start(&folder.join("redis-1"), None)?;
        let proxy = Proxy::to(primary.port())?;
        let (replica, cascade) = (None, None);
        let mut ground = Self { proxy, primary, replica, folder, servers: 1, cascade, lines };
        if replicated {
            ground.add_replica()?;
        }
        Ok(ground)
    }

    fn add_replica(&mut self) -> Result<()> {
        self.servers += 1;
        let folder = self.folder.join(format!("redis-{}", self.servers));
        let replica = Server::start(&folder, Some(self.primary.port()))?;
        self.replica = Some(replica);
        self.in_sync()
    }

    /// Waits until the replica follows.
    fn in_sync(&self) -> Result<()> {
        let Some(replica) = &self.replica else { return Ok(()) };
        until("the replica follows", || replica.says("master_link_status", "up"))
    }

    /// Makes one trouble, and ends it.
    ///
    /// # Errors
    /// It cannot be brought about, or does not end.
    pub fn trouble(
        &mut self,
        fault: Fault,
        hosted: &mut Hosted,
        signals: &Signals,
        chance: &mut Chance,
        caution: &mut Caution,
    ) -> Result<()> {
        let lasts = Duration::from_millis(chance.between(LASTS_MILLIS.0, LASTS_MILLIS.1));
        match fault {
            Fault::HostKilled => kill_host(hosted, signals),
            Fault::RedisKilled => {
                self.primary.kill()?;
                sleep(lasts);
                self.primary.start_again()
            }
            Fault::BothKilled => {
                self.primary.kill()?;
                signals.down.store(true, Ordering::SeqCst);
                hosted.kill(Victim::Host)?;
                self.primary.start_again()?;
                hosted.restart()?;
                signals.down.store(false, Ordering::SeqCst);
                Ok(())
            }
            Fault::HostHeld => {
                hosted.hold(true)?;
                sleep(lasts);
                hosted.hold(false)
            }
            Fault::RedisHeld => {
                self.primary.hold(true)?;
                sleep(lasts);
                self.primary.hold(false)
            }
            Fault::DiskFull => self.fill_disk(lasts, chance),
            Fault::DiskFullEverySecond => self.fill_disk_every_second(lasts, chance),
            Fault::MemoryFull => {
                let used: u64 = resp::info(self.primary.port(), "used_memory")?.parse()?;
                let limit = used + chance.between(MEMORY_LEFT.0, MEMORY_LEFT.1);
                self.primary.must(&format!("CONFIG SET maxmemory {limit}"))?;
                sleep(lasts);
                self.primary.must("CONFIG SET maxmemory 0").map(drop)
            }
            Fault::ScriptsFlushed => self.primary.must("FUNCTION FLUSH").map(drop),
            Fault::RedisWithoutScripts => {
                // Nobody may load them anew before it is killed.
                self.proxy.set(Road::Closed);
                self.primary.must("FUNCTION FLUSH")?;
                self.primary.kill()?;
                self.primary.start_again()?;
                self.proxy.set(Road::Open);
                Ok(())
            }
            Fault::ReplicaHeld => {
                let replica = self.replica.as_ref().context("there is no replica here")?;
                replica.hold(true)?;
                let from = signals.now();
                sleep(REPLICA_HELD);
                caution.replica_held.push((from, signals.now()));
                replica.hold(false)
            }
            Fault::ReplicaPromoted => self.fail_over(lasts, chance),
            Fault::RedisSlow => {
                let by = Duration::from_millis(chance.between(SLOW_MILLIS.0, SLOW_MILLIS.1));
                self.on_the_road(Road::Slow(by), lasts)
            }
            Fault::NetworkCut => self.on_the_road(Road::Closed, lasts),
            Fault::NetworkHeld => self.on_the_road(Road::Held, lasts),
            Fault::ConnectionsLost => {
                ensure!(self.proxy.lose() > 0, "no connection could be lost");
                Ok(())
            }
            Fault::ClockMoved => self.move_clock(hosted, lasts, chance),
            Fault::CascadeCut => {
                let mut cascade = match self.cascade.take() {
                    Some(cascade) => cascade,
                    None => {
                        signals.slacken(true);
                        let made = Cascade::new(hosted, self.lines);
                        signals.slacken(false);
                        made?
                    }
                };
                cascade.round(self, hosted, signals, chance, caution)?;
                self.cascade = Some(cascade);
                Ok(())
            }
        }
        .with_context(|| format!("{fault:?}"))?;
        self.in_sync()
    }

    fn on_the_road(&self, road: Road, lasts: Duration) -> Result<()> {
        self.proxy.set(road);
        sleep(lasts);
        self.proxy.set(Road::Open);
        Ok(())
    }

    /// With an fsync at every write Redis ends when it cannot write; it is started again and again,
    /// as an orchestrator does, and ends again until there is room.
    fn fill_disk(&mut self, lasts: Duration, chance: &mut Chance) -> Result<()> {
        let room = chance.between(DISK_LEFT.0, DISK_LEFT.1);
        self.primary.limit_disk(Some(room))?;
        until("Redis finds its disk full", || Ok(self.primary.ended()?.is_some()))?;
        self.primary.start_again()?;
        self.primary.limit_disk(Some(0))?;
        sleep(lasts);
        if self.primary.ended()?.is_some() {
            return self.primary.start_again();
        }
        self.primary.limit_disk(None)
    }

    /// With an fsync every second Redis refuses writes while it cannot write, and goes on by itself.
    /// Its file may have a hole then, with which it does not start again: as `docs/operations.md`
    /// says, the operator has it written anew.
    fn fill_disk_every_second(&mut self, lasts: Duration, chance: &mut Chance) -> Result<()> {
        self.primary.must("CONFIG SET appendfsync everysec")?;
        let room = chance.between(DISK_LEFT.0, DISK_LEFT.1);
        self.primary.limit_disk(Some(room))?;
        let primary = &self.primary;
        until("Redis finds its disk full", || primary.says("aof_last_write_status", "err"))?;
        sleep(lasts);
        self.primary.limit_disk(None)?;
        until("Redis writes again", || primary.says("aof_last_write_status", "ok"))?;
        self.primary.write_file_anew()?;
        self.primary.must("CONFIG SET appendfsync always").map(drop)
    }

    /// The primary is lost, for good, and the replica takes its place.
    fn fail_over(&mut self, lasts: Duration, chance: &mut Chance) -> Result<()> {
        let Some(mut replica) = self.replica.take() else { bail!("there is no replica here") };
        if chance.below(2) == 0 {
            self.primary.kill()?;
        } else {
            // It hangs, and is given up.
            self.primary.hold(true)?;
            sleep(lasts);
        }
        replica.promote()?;
        self.proxy.lead_to(replica.port());
        // Dropping the old one kills it.
        self.primary = replica;
        sleep(lasts);
        self.add_replica()
    }

    fn move_clock(
        &mut self,
        hosted: &mut Hosted,
        lasts: Duration,
        chance: &mut Chance,
    ) -> Result<()> {
        let moment = *chance.one_of(&MOMENTS);
        hosted.set_clock(moment)?;
        super::tokens_go_by_the_real_clock(hosted).with_context(|| moment.to_owned())?;
        sleep(lasts);
        if let Some(cascade) = &mut self.cascade
            && moment > TODAY
        {
            cascade.forget();
        }
        hosted.set_clock(TODAY)
    }
}

/// Kills the host and starts it again.
///
/// # Errors
/// It does not come up.
pub fn kill_host(hosted: &mut Hosted, signals: &Signals) -> Result<()> {
    signals.down.store(true, Ordering::SeqCst);
    hosted.kill(Victim::Host)?;
    hosted.restart()?;
    signals.down.store(false, Ordering::SeqCst);
    Ok(())
}
