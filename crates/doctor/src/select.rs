//! Which checks are wanted: `--only` and `--skip`.

use crate::{Code, Rung};

/// Rungs and codes that are wanted, or are not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    only: Vec<Wanted>,
    skip: Vec<Wanted>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Rung(Rung),
    /// A code, or the beginning of some: `BL5`.
    Codes(String),
}

/// A text that is neither a rung nor a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no check {text:?}; the rungs are {}, and `--list` has all codes", Rung::ALL.map(Rung::name).join(", "))]
pub struct UnknownCheck {
    /// The text.
    pub text: String,
}

fn read(text: &str) -> Result<Wanted, UnknownCheck> {
    let text = text.trim();
    if let Some(rung) = Rung::ALL.into_iter().find(|rung| rung.name().eq_ignore_ascii_case(text)) {
        return Ok(Wanted::Rung(rung));
    }
    let prefix = text.to_ascii_uppercase().trim_end_matches("XX").to_owned();
    let is_code = prefix.len() > 2 && Code::all().any(|code| code.id.starts_with(&prefix));
    if is_code { Ok(Wanted::Codes(prefix)) } else { Err(UnknownCheck { text: text.to_owned() }) }
}

impl Wanted {
    fn has(&self, code: &Code) -> bool {
        match self {
            Wanted::Rung(rung) => code.rung == *rung,
            Wanted::Codes(prefix) => code.id.starts_with(prefix),
        }
    }
}

impl Selection {
    /// Only these, if there are any, without those: names of rungs, codes, or the beginnings of codes.
    ///
    /// # Errors
    /// One is none of these.
    pub fn new<S: AsRef<str>>(only: &[S], skip: &[S]) -> Result<Selection, UnknownCheck> {
        let read = |list: &[S]| list.iter().map(|text| read(text.as_ref())).collect::<Result<Vec<_>, _>>();
        Ok(Selection { only: read(only)?, skip: read(skip)? })
    }

    pub(crate) fn wants_code(&self, code: &Code) -> bool {
        (self.only.is_empty() || self.only.iter().any(|wanted| wanted.has(code)))
            && !self.skip.iter().any(|wanted| wanted.has(code))
    }

    /// Whether anything of this rung is wanted.
    pub(crate) fn wants(&self, rung: Rung) -> bool {
        Code::all().any(|code| code.rung == rung && self.wants_code(code))
    }

    /// Whether the rung must be climbed, be it only because of those that need it.
    pub(crate) fn climbs(&self, rung: Rung) -> bool {
        Rung::ALL.into_iter().any(|wanted| self.wants(wanted) && (wanted == rung || wanted.needs(rung)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_and_codes() {
        let all = Selection::default();
        assert!(Rung::ALL.into_iter().all(|rung| all.wants(rung) && all.climbs(rung)));
        let dns = Selection::new(&["dns"], &[]).unwrap();
        assert!(dns.wants(Rung::Dns) && !dns.wants(Rung::Name) && dns.climbs(Rung::Name) && !dns.climbs(Rung::Epmd));
        let codes = Selection::new(&["BL5xx"], &["bl502"]).unwrap();
        let wants = |id: &str| codes.wants_code(Code::get(id).unwrap());
        assert!(wants("BL501") && !wants("BL502") && !wants("BL401"));
        let no_mesh = Selection::new(&[], &["mesh"]).unwrap();
        assert!(no_mesh.climbs(Rung::Cookie) && !no_mesh.wants(Rung::Mesh));
        assert!(Selection::new(&["BL"], &[]).is_err() && Selection::new(&["BL999"], &[]).is_err());
    }
}
