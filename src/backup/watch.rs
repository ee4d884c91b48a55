//! Who follows along while a backup is made or read, and may stop it.

use super::error::BackupError;

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The store is copied as it is at one moment.
    Copying,
    /// What the copy holds is read, to its last row.
    Inspecting,
    /// Its files are put among the pieces.
    Writing,
    /// The pieces are read back.
    ReadingBack,
    /// The manifest is written: from then on there is one backup more.
    Finishing,
    /// What is not kept any longer is removed.
    Pruning,
}

impl Step {
    /// What is being done, in a word or two.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Copying => "copying the store",
            Self::Inspecting => "reading its log",
            Self::Writing => "writing",
            Self::ReadingBack => "reading back",
            Self::Finishing => "finishing",
            Self::Pruning => "removing older ones",
        }
    }
}

/// Who follows along. Where it answers [`BackupError::Stopped`], nothing more is done.
pub trait Watch {
    /// This is done next. Some steps come more than once.
    ///
    /// # Errors
    /// It is to stop.
    fn step(&mut self, step: Step) -> Result<(), BackupError>;

    /// So many bytes are ahead in this step.
    fn ahead(&mut self, bytes: u64);

    /// So many of them are done.
    ///
    /// # Errors
    /// It is to stop.
    fn went(&mut self, bytes: u64) -> Result<(), BackupError>;
}

/// Nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn step(&mut self, _: Step) -> Result<(), BackupError> {
        Ok(())
    }

    fn ahead(&mut self, _: u64) {}

    fn went(&mut self, _: u64) -> Result<(), BackupError> {
        Ok(())
    }
}
