//! Reading the keys that a further connection between the same two ends has to share.

use futures::future::join_all;

use crate::cloud::Cloud;
use crate::plan::{KeySharer, SharedKey};

/// The key of each connection; one request each, all at once.
pub async fn read_shared_keys(cloud: &Cloud, sharers: &[KeySharer]) -> Vec<SharedKey> {
    let reads = sharers.iter().map(|of| async move {
        let key = async {
            let region = cloud.region(&of.region)?;
            region.connection_psk(&of.id).await
        };
        SharedKey { of: of.clone(), key: key.await }
    });
    join_all(reads).await
}
