//! Counterexamples as files, each of which `doorway replay` takes.

use std::fs;
use std::path::Path;

use doorway::check::Report;
use doorway::report::saved::{Saved, SavedModel};

use super::models::Named;
use super::output::Failure;

/// Makes the folder, before a search that may take long.
pub(crate) fn prepare(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| failure(folder, &error))
}

/// Writes each counterexample of a report into a file of its own; returns the names of the files.
pub(crate) fn save(folder: &Path, named: &Named, report: &Report) -> Result<Vec<String>, Failure> {
    let found = report.findings.iter().filter_map(|finding| finding.counterexample.as_ref());
    found
        .map(|found| {
            let model = SavedModel {
                name: named.model.name.clone(),
                set: named.set.clone(),
                text: named.text.clone(),
            };
            let saved = Saved::new(model, report.engine, found);
            let name = format!("{}.{}.{}.json", saved.model.name, saved.engine, saved.property);
            let file = folder.join(name);
            let text = serde_json::to_string_pretty(&saved)
                .map_err(|error| Failure::Plain(format!("{}: {error}", file.display())))?;
            fs::write(&file, text + "\n").map_err(|error| failure(&file, &error))?;
            Ok(file.display().to_string())
        })
        .collect()
}

/// Reads a counterexample.
pub(crate) fn read(file: &str) -> Result<Saved, Failure> {
    let text = fs::read_to_string(file).map_err(|error| failure(Path::new(file), &error))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::Plain(format!("{file}: is no saved counterexample: {error}")))
}

fn failure(file: &Path, error: &std::io::Error) -> Failure {
    Failure::Plain(format!("{}: {error}", file.display()))
}
