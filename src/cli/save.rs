//! Counterexamples as files: those that `doorway replay` takes, and pages.

use std::fs;
use std::path::Path;

use doorway::check::Report;
use doorway::report::html::Page;
use doorway::report::saved::{Saved, SavedModel};

use super::models::Named;
use super::output::Failure;

/// Makes the folder, before a search that may take long.
pub(crate) fn prepare(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| failure(folder, &error))
}

/// Writes each counterexample of a report into files of its own; returns their names.
pub(crate) fn save(folder: &Path, named: &Named, report: &Report) -> Result<Vec<String>, Failure> {
    let found = report.findings.iter().filter_map(|finding| finding.counterexample.as_ref());
    let mut files = Vec::new();
    for found in found {
        let model = SavedModel {
            name: named.model.name.clone(),
            set: named.set.clone(),
            text: named.text.clone(),
        };
        let saved = Saved::new(model, report.engine, found);
        let name = format!("{}.{}.{}", saved.model.name, saved.engine, saved.property);
        let (file, page) =
            (folder.join(format!("{name}.json")), folder.join(format!("{name}.html")));
        let text = serde_json::to_string_pretty(&saved)
            .map_err(|error| Failure::Plain(format!("{}: {error}", file.display())))?;
        write(&file, &(text + "\n"))?;
        write(&page, &Page::of(found).headed(&saved.heading()).to_string())?;
        files.extend([file, page].iter().map(|file| file.display().to_string()));
    }
    Ok(files)
}

/// Writes a file; one that is there is written over.
pub(crate) fn write(file: &Path, text: &str) -> Result<(), Failure> {
    fs::write(file, text).map_err(|error| failure(file, &error))
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
