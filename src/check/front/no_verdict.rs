//! Why a check says nothing.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::check::engine::explore::CheckError;
use crate::check::trace::StaleSchedule;
use crate::store::Text;

/// Why a check has no verdict: it is not put together as it has to be, a property of it panics, or
/// a process draws on something that the engine does not see.
#[derive(Clone, Debug)]
pub struct NoVerdict {
    check: Text,
    why: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl NoVerdict {
    pub(super) fn new(check: &Text, why: impl Into<String>) -> NoVerdict {
        NoVerdict { check: check.clone(), why: why.into(), source: None }
    }

    pub(super) fn refused(check: &Text, error: CheckError) -> NoVerdict {
        NoVerdict {
            source: Some(Arc::new(error.clone())),
            ..NoVerdict::new(check, error.to_string())
        }
    }

    pub(super) fn stale(check: &Text, stale: StaleSchedule) -> NoVerdict {
        NoVerdict {
            source: Some(Arc::new(stale.clone())),
            ..NoVerdict::new(check, stale.to_string())
        }
    }
}

impl fmt::Display for NoVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: no verdict: {}", self.check, self.why)
    }
}

impl Error for NoVerdict {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
