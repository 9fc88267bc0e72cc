//! Whether the caller is still who the checks let in, while the call lasts.

use super::{Candidates, is_anonymous, readings};
use crate::caller::trunk::TrunkProfile;
use crate::number::Number;
use crate::sip::identity::{Headers, NameAddress, Privacy};

/// Which header named a caller who passed the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NamedBy {
    /// P-Asserted-Identity or Remote-Party-ID.
    Assertion,
    /// From, where no assertion counts.
    From,
}

impl NamedBy {
    /// In the headers of the INVITE.
    pub(crate) fn of(headers: Headers<'_>, trunk: &TrunkProfile) -> Self {
        let asserts = Candidates::read(trunk, headers).is_ok_and(|candidates| !candidates.asserted.is_empty());
        if asserts { Self::Assertion } else { Self::From }
    }
}

/// Does a request inside the dialog name another caller than this one? It is read as the INVITE was, and what cannot be read is
/// another, and so is whoever withholds the number now: somebody to whom the call was transferred, perhaps. But whether
/// Remote-Party-ID is screened, or may be shown, makes the same number nobody else's. From counts only where it named the caller,
/// because beside an assertion it may be free text; a header that is not there names nobody.
pub(crate) fn names_another(headers: Headers<'_>, caller: &Number, named_by: NamedBy, trunk: &TrunkProfile) -> bool {
    let Ok(Candidates { from, asserted, .. }) = Candidates::unscreened(trunk, headers) else { return true };
    if is_anonymous(&from) || Privacy::of(headers) == Privacy::Withheld {
        return true;
    }
    let from = (named_by == NamedBy::From).then_some(&from);
    let is_the_same = |named: &NameAddress<'_>| readings(trunk, &named.uri).is_ok_and(|digits| digits.mean(caller));
    !asserted.iter().chain(from).all(is_the_same)
}
