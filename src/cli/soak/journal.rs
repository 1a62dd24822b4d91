//! The log of a soak: append-only files of lines, of which each begins with all that the checker
//! knew then. So a soak goes on after its own restart, and needs a bounded part of the disk.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::checker::{Checker, Keeps};
use super::clock;
use super::fact::{Fact, Line, Say};
use crate::cli::output::Failure;

/// How long a file gets, in bytes.
const FILE: u64 = 16 << 20;
/// How many files are kept.
const KEPT: u64 = 8;

/// The log of a soak.
pub(crate) struct Journal {
    folder: PathBuf,
    params: String,
    file: File,
    number: u64,
    bytes: u64,
    resumed: bool,
}

/// The first line of a file, as it is written.
#[derive(Serialize)]
struct Head<'a> {
    params: &'a str,
    checker: &'a Checker,
}

/// The first line of a file, as it is read.
#[derive(Deserialize)]
struct Known {
    params: String,
    checker: Checker,
}

impl Journal {
    /// The log of a soak that goes on in the folder, with all that it knows; else that of a new one.
    pub(crate) fn open(
        folder: &Path,
        params: &str,
        keeps: Keeps,
    ) -> Result<(Journal, Checker), Failure> {
        fs::create_dir_all(folder).map_err(|error| failure(folder, &error))?;
        let last = files(folder).map_err(|error| failure(folder, &error))?.pop();
        let (last, resumed) = match last {
            Some(number) if !over(folder).exists() => (number, true),
            last => (last.unwrap_or_default(), false),
        };
        let checker = if resumed { replayed(folder, last, params)? } else { Checker::new(keeps) };
        if !resumed {
            clean(folder).map_err(|error| failure(folder, &error))?;
        }
        let (folder, params) = (folder.to_owned(), params.to_owned());
        let (file, bytes) = begin(&folder, last + 1, &params, &checker)?;
        let journal = Journal { folder, params, file, number: last + 1, bytes, resumed };
        Ok((journal, checker))
    }

    /// Whether an earlier process of the driver has begun the soak.
    pub(crate) fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// Writes a line. It is in the hands of the system when this returns.
    pub(crate) fn write(&mut self, by: u64, at: u64, fact: &Fact) -> Result<(), Failure> {
        let line = Line { by, at, say: Say::Fact(fact.clone()) };
        let mut bytes = serde_json::to_vec(&line).map_err(|error| self.unwritten(&error))?;
        bytes.push(b'\n');
        self.file.write_all(&bytes).map_err(|error| self.unwritten(&error))?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Begins the next file once this one is long enough.
    pub(crate) fn turn(&mut self, checker: &Checker) -> Result<(), Failure> {
        if self.bytes < FILE {
            return Ok(());
        }
        self.number += 1;
        (self.file, self.bytes) = begin(&self.folder, self.number, &self.params, checker)?;
        let old = path(&self.folder, self.number.saturating_sub(KEPT));
        if old.exists() {
            fs::remove_file(&old).map_err(|error| failure(&old, &error))?;
        }
        Ok(())
    }

    /// The soak is over: the next in this folder begins anew.
    pub(crate) fn close(&self) -> Result<(), Failure> {
        let over = over(&self.folder);
        fs::write(&over, "").map_err(|error| failure(&over, &error))
    }

    /// The file that is being written.
    pub(crate) fn path(&self) -> PathBuf {
        path(&self.folder, self.number)
    }

    fn unwritten(&self, error: &dyn std::fmt::Display) -> Failure {
        Failure::Plain(format!("{}: {error}", self.path().display()))
    }
}

/// A file is there under its name only once its first line is whole.
fn begin(
    folder: &Path,
    number: u64,
    params: &str,
    checker: &Checker,
) -> Result<(File, u64), Failure> {
    let (path, new) = (path(folder, number), folder.join("new"));
    let mut bytes =
        serde_json::to_vec(&Head { params, checker }).map_err(|e| Failure::Plain(e.to_string()))?;
    bytes.push(b'\n');
    fs::write(&new, &bytes).map_err(|error| failure(&new, &error))?;
    fs::rename(&new, &path).map_err(|error| failure(&path, &error))?;
    let file = File::options().append(true).open(&path).map_err(|e| failure(&path, &e))?;
    Ok((file, 0))
}

/// All that the lines of a file tell. The last one may be half written.
fn replayed(folder: &Path, number: u64, params: &str) -> Result<Checker, Failure> {
    let path = path(folder, number);
    let file = File::open(&path).map_err(|error| failure(&path, &error))?;
    let mut lines = BufReader::new(file).lines();
    let head = lines.next().transpose().map_err(|error| failure(&path, &error))?;
    let head: Known = serde_json::from_str(&head.unwrap_or_default()).map_err(|error| {
        Failure::Plain(format!("{}: no log of a soak: {error}", path.display()))
    })?;
    if head.params != params {
        return Err(Failure::Plain(format!(
            "{}: the soak that goes on here has {}, and {params} is asked for: ask for the same, or \
             take another --folder",
            folder.display(),
            head.params
        )));
    }
    let mut checker = head.checker;
    for line in lines {
        let line = line.map_err(|error| failure(&path, &error))?;
        if let Ok(Line { by, at, say: Say::Fact(fact) }) = serde_json::from_str(&line) {
            checker.take(by, at, &fact);
        }
    }
    checker.resume(clock::nanos());
    Ok(checker)
}

/// The numbers of the files, in order.
fn files(folder: &Path) -> std::io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        let number = name.strip_prefix("events-").and_then(|rest| rest.strip_suffix(".jsonl"));
        numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Removes what an earlier soak has left.
fn clean(folder: &Path) -> std::io::Result<()> {
    for number in files(folder)? {
        fs::remove_file(path(folder, number))?;
    }
    if over(folder).exists() {
        fs::remove_file(over(folder))?;
    }
    Ok(())
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("events-{number:06}.jsonl"))
}

fn over(folder: &Path) -> PathBuf {
    folder.join("over")
}

fn failure(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Plain(format!("{}: {error}", path.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("doorway-journal-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    fn open(folder: &Path) -> (Journal, Checker) {
        Journal::open(folder, "two managers", Keeps::Statuses).unwrap()
    }

    #[test]
    fn a_soak_goes_on_with_what_it_knew() {
        let folder = folder("resumed");
        let (mut journal, mut checker) = open(&folder);
        assert!(!journal.is_resumed());
        for task in 1..=3 {
            let fact = Fact::Enqueued { task, resource: 1 };
            journal.write(0, task, &fact).unwrap();
            checker.take(0, task, &fact);
        }
        drop(journal);
        fs::write(folder.join("new"), "{\"half").unwrap();
        let last = path(&folder, 1);
        let cut = fs::read_to_string(&last).unwrap() + "{\"by\":1,\"a";
        fs::write(&last, cut).unwrap();
        let (journal, resumed) = open(&folder);
        assert!(journal.is_resumed());
        assert_eq!(resumed.open().collect::<Vec<_>>(), checker.open().collect::<Vec<_>>());
        assert_eq!(resumed.last_task(), 3);
        journal.close().unwrap();
        let (journal, anew) = open(&folder);
        assert!(!journal.is_resumed() && anew.last_task() == 0);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn another_soak_is_not_gone_on_with() {
        let folder = folder("other");
        drop(open(&folder));
        let refused = Journal::open(&folder, "three managers", Keeps::Statuses).err().unwrap();
        assert!(refused.to_string().contains("two managers"), "{refused}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn old_files_go() {
        let folder = folder("turned");
        let (mut journal, checker) = open(&folder);
        for _ in 0..KEPT + 3 {
            journal.bytes = FILE;
            journal.turn(&checker).unwrap();
        }
        assert_eq!(files(&folder).unwrap().len() as u64, KEPT);
        drop(journal);
        assert!(open(&folder).0.is_resumed());
        fs::remove_dir_all(folder).unwrap();
    }
}
