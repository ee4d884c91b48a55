//! The origin that a store is set up for: every id in it starts with that one.

use tracing::info;

use super::change::Tx;
use super::{Registry, RegistryError, Settings};
use crate::store::tables::SETTINGS;

/// The row that holds it, once there is a profile.
pub(super) const PUBLIC_URL: &str = "public_url";

/// Whether a store may be used with the origin that is configured.
///
/// # Errors
/// [`RegistryError::PublicUrl`] where the store was set up for another origin.
pub(super) fn check_public_url(
    recorded: Option<&[u8]>,
    settings: &Settings,
) -> Result<(), RegistryError> {
    match recorded {
        Some(recorded) if recorded != settings.public_url.as_bytes() => {
            Err(RegistryError::PublicUrl {
                recorded: String::from_utf8_lossy(recorded).into_owned(),
                configured: settings.public_url.clone(),
            })
        }
        _ => Ok(()),
    }
}

impl Registry {
    /// Records the origin with the first profile, in the batch that writes it. Another process may have
    /// done so since this one was started, with another origin.
    pub(super) fn record_public_url(&self, tx: &mut Tx<'_>) -> Result<(), RegistryError> {
        let name = PUBLIC_URL.to_owned();
        let recorded = SETTINGS.get(tx.read, &name)?;
        check_public_url(recorded.as_deref(), &self.settings)?;
        if recorded.is_none() {
            info!(
                public_url = self.settings.public_url,
                "recording the public URL for good"
            );
            let value = self.settings.public_url.clone().into_bytes();
            SETTINGS.expect(&mut tx.batch, &name, None);
            SETTINGS.put(&mut tx.batch, &name, &value);
        }
        Ok(())
    }
}
