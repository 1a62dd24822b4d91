//! What a check came to, and what a test asserts of it.

use std::collections::BTreeMap;
use std::fmt;

use super::Check;
use super::claim::{Claim, When};
use crate::check::fault::Faults;
use crate::check::told;
use crate::check::trace::Counterexample;
use crate::check::verdict::{Report, Verdict};
use crate::store::Text;

/// What a check came to. Shown, it says all of it: each property, each counterexample, and how
/// much was searched.
#[derive(Clone, Debug)]
#[must_use = "a check that nobody looks at shows nothing: assert what it is to come to"]
pub struct Checked {
    name: Text,
    faults: Faults,
    report: Report,
    /// The properties that say nothing, and why.
    vacuous: BTreeMap<Text, String>,
    /// For what was to be reachable, and is: the shortest run seen that gets there.
    witnesses: BTreeMap<Text, Vec<Text>>,
}

impl Checked {
    pub(super) fn new(check: &Check, claims: &[Claim], report: Report) -> Checked {
        let mut checked = Checked {
            name: check.name.clone(),
            faults: check.faults.clone(),
            report,
            vacuous: BTreeMap::new(),
            witnesses: BTreeMap::new(),
        };
        for claim in claims {
            checked.turn_round(claim);
            checked.look_for_empty_places(claim);
        }
        checked
    }

    /// To the engine a run that gets where it is to get was a counterexample.
    fn turn_round(&mut self, claim: &Claim) {
        let finding =
            self.report.findings.iter_mut().find(|finding| finding.property == claim.name);
        let Some(finding) = finding.filter(|_| claim.when == When::Sometimes) else { return };
        match finding.verdict {
            Verdict::Violated => {
                finding.verdict = Verdict::Verified;
                let witness = finding.counterexample.take();
                self.witnesses.extend(witness.map(|found| (claim.name.clone(), found.schedule)));
            }
            Verdict::Verified => {
                finding.verdict = Verdict::Violated;
                self.vacuous.insert(claim.name.clone(), "no run gets there".into());
            }
            Verdict::Inconclusive => {}
        }
    }

    /// A property of a place where nobody ever is holds, and says nothing.
    fn look_for_empty_places(&mut self, claim: &Claim) {
        let Some(place) = claim.empty_place() else { return };
        let finding =
            self.report.findings.iter_mut().find(|finding| finding.property == claim.name);
        if let Some(finding) = finding.filter(|finding| finding.verdict == Verdict::Verified) {
            finding.verdict = Verdict::Violated;
            let why = format!("no process is ever within {place:?}");
            self.vacuous.insert(claim.name.clone(), why);
        }
    }

    /// The worst that is said of a property.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.report.verdict()
    }

    /// What is said of each property, and how much was searched. A property that says nothing
    /// counts as violated, without a counterexample.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The shortest run seen that breaks a property.
    #[must_use]
    pub fn counterexample(&self, property: &str) -> Option<&Counterexample> {
        self.report.of(property)?.counterexample.as_ref()
    }

    /// The shortest schedule seen that gets where a property says that some run does; as
    /// [`Check::replay`] takes it.
    #[must_use]
    pub fn witness(&self, property: &str) -> Option<String> {
        Some(self.witnesses.get(property)?.join(" "))
    }

    /// Every property holds in every run, and every run was seen.
    ///
    /// # Panics
    ///
    /// Otherwise: with the counterexamples, with what is vacuous, or with the limit that stopped
    /// the search.
    #[track_caller]
    pub fn assert_verified(&self) -> &Checked {
        assert!(self.verdict() == Verdict::Verified, "not verified: {self}");
        self
    }

    /// A run breaks the property. A property that is only vacuous is not violated.
    ///
    /// # Panics
    ///
    /// Otherwise.
    #[track_caller]
    pub fn assert_violates(&self, property: &str) -> &Checked {
        let names: Vec<&str> = self.report.findings.iter().map(|one| &*one.property).collect();
        let Some(finding) = self.report.of(property) else {
            panic!("{} has no property {property}; it has {}", self.name, names.join(", "));
        };
        let is_violated = finding.verdict == Verdict::Violated;
        let is_violated = is_violated && !self.vacuous.contains_key(property);
        assert!(is_violated, "{property} is not violated: {self}");
        self
    }

    /// No run that was seen breaks a property, and not every run was seen: for a search that is
    /// not meant to end.
    ///
    /// # Panics
    ///
    /// Otherwise; so it does once the search ends.
    #[track_caller]
    pub fn assert_inconclusive(&self) -> &Checked {
        assert!(self.verdict() == Verdict::Inconclusive, "not inconclusive: {self}");
        self
    }

    /// One line for each verdict but a violation.
    fn write_names(&self, f: &mut fmt::Formatter<'_>, verdict: Verdict) -> fmt::Result {
        let of = self.report.findings.iter().filter(|finding| finding.verdict == verdict);
        let names: Vec<&str> = of.map(|finding| &*finding.property).collect();
        if names.is_empty() { Ok(()) } else { writeln!(f, "  {verdict} {}", names.join(", ")) }
    }

    fn write_violations(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (property, why) in &self.vacuous {
            writeln!(f, "  vacuous {property}: {why}")?;
        }
        for group in told::by_run(&self.report) {
            f.write_str(&told::counterexample(&group, &told::PLAIN))?;
            writeln!(f, "  replay: .replay(\"{}\")", group[0].schedule.join(" "))?;
        }
        let is_vacuous = |property: &&Text| self.vacuous.contains_key(*property);
        let mut untold = told::untold(&self.report).filter(|property| !is_vacuous(property));
        untold.try_for_each(|property| f.write_str(&told::without_run(property, &told::PLAIN)))
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} is {} by {}", self.name, self.verdict(), self.report.engine)?;
        self.write_violations(f)?;
        self.write_names(f, Verdict::Inconclusive)?;
        self.write_names(f, Verdict::Verified)?;
        if let Some(why) = &self.report.stopped {
            writeln!(f, "  not every run was seen: {why}")?;
        }
        write!(f, "  {}, with {}", self.report.coverage, self.faults)?;
        if self.report.guards_left_out { write!(f, "; guards left out") } else { Ok(()) }
    }
}
