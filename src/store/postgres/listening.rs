//! Listens on a connection of its own to what other replicas say: that there is something new.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::connecting::Ways;
use super::faults::{Fault, fault};
use super::sql;

/// Listens for as long as the process runs, or until a server says that it passes nothing on. What is said while
/// there is no connection is lost: then whoever waits looks by itself.
pub(super) async fn listen(ways: Ways) {
    const AGAIN_AFTER: Duration = Duration::from_secs(1);
    loop {
        if let Ok(Ok((client, driven))) = timeout(ways.patience(), ways.clone().open()).await {
            match client.batch_execute(sql::LISTEN).await {
                Ok(()) => {
                    // Somebody may have said something before.
                    ways.tell_news();
                    let _ = driven.await;
                }
                Err(error) if fault(&error) == Fault::NotKnown => return,
                Err(_) => {}
            }
        }
        sleep(AGAIN_AFTER).await;
    }
}
