//! Commands that are larger than one commit: worked in blocks, answered once.
//!
//! What a block writes is named by the request alone, so that doing it twice is doing it once. The
//! idempotency key goes with the last block: until then the request is not done, and one that was
//! cut short is completed by repeating it.

use tradewind_kernel::Decision;

use crate::call::{Answer, Call, query};
use crate::failure::Failure;
use crate::gather::Gather;
use crate::run;
use crate::service::Service;
use crate::store::Needs;
use crate::world::World;

impl<S: Service<W>, W: World> Call<'_, S, W> {
    /// Changes state block by block, in order, each block one commit; the answer is the reply of
    /// the last one. Before the first, the key is looked up (a request that was granted is answered
    /// as it was, and nothing is written) and `check` says whether any of it may be done.
    ///
    /// `decide` must be such that repeating a block changes nothing, and must refuse nothing that
    /// `check` could have refused.
    ///
    /// # Errors
    /// What `check` refuses, and then nothing is changed; 409 for a key of another request; outages,
    /// after which blocks may have been written.
    pub async fn in_blocks<B>(
        &self,
        check: impl AsyncFn(&Gather<'_, W>) -> Result<(), Failure>,
        (earlier, last): (&[B], &B),
        decide: impl AsyncFn(&Gather<'_, W>, &B) -> Result<Decision, Failure>,
    ) -> Result<Answer, Failure> {
        let mut task = self.task();
        if let Some(ran) = run::granted::<S, W>(self.world, &task).await? {
            return Ok(ran.answer(task));
        }
        match query::<S, W, ()>(self.world, self.tenant, Needs::Everything, check).await {
            Err(Failure::Refused(refusal)) => {
                let ran = run::refuse::<S, W>(self.world, &mut task, refusal).await?;
                return Ok(ran.answer(task));
            }
            other => other?,
        }
        let key = task.idempotency.take();
        for block in earlier {
            run::command::<S, W>(self.world, &mut task, async |gather| decide(gather, block).await)
                .await?;
            // The name of the correlation is taken now, by ourselves.
            task.named_correlation = false;
        }
        task.idempotency = key;
        self.run(task, async |gather| decide(gather, last).await).await
    }
}
