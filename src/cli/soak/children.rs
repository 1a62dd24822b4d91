//! The children: started, killed, frozen, thawed, reaped.
//!
//! Each leads a process group of its own. When the driver dies, however that is, the kernel hangs up
//! on the groups of those that are stopped (POSIX: an orphaned process group with a stopped member),
//! and the others see their input end: none is left.

use std::fs::File;
use std::io::{PipeWriter, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::child::HASTE;
use super::fact::Answer;
use crate::cli::args::{Soak, SoakRole};
use crate::cli::output::Failure;

/// The variable that tells a child where the server is: a URI may hold a password.
pub(crate) const URI: &str = "DOORWAY_SOAK_URI";
/// How many of 1 answers a child loses under chaos.
const LOSES: f64 = 0.01;

/// A child by its name, which stays, and its number, which is new with each start.
pub(crate) struct Slot {
    pub(crate) name: String,
    pub(crate) role: SoakRole,
    pub(crate) number: u64,
    process: Option<(Child, ChildStdin)>,
    thaws: Option<Instant>,
    starts: Option<Instant>,
}

/// All children.
pub(crate) struct Children {
    pub(crate) slots: Vec<Slot>,
    lines: PipeWriter,
    errors: File,
    uri: String,
    database: String,
    last_number: u64,
}

impl Children {
    /// None is started yet. Numbers go on after the last that was used.
    pub(crate) fn new(
        args: &Soak,
        (uri, database): (&str, &str),
        lines: PipeWriter,
        folder: &Path,
    ) -> Result<Children, Failure> {
        let path = folder.join("children.log");
        let errors = File::options().create(true).append(true).open(&path);
        let errors = errors.map_err(|e| Failure::Plain(format!("{}: {e}", path.display())))?;
        let slot = |role, name: String| Slot {
            name,
            role,
            number: 0,
            process: None,
            thaws: None,
            starts: Some(Instant::now()),
        };
        let managers = (1..=args.managers).map(|n| slot(SoakRole::Manager, format!("manager-{n}")));
        let workers = (1..=args.workers).map(|n| slot(SoakRole::Worker, format!("worker-{n}")));
        Ok(Children {
            slots: managers.chain(workers).collect(),
            lines,
            errors,
            uri: uri.to_owned(),
            database: database.to_owned(),
            // A number is never used twice, also not after the driver's own restart.
            last_number: super::clock::nanos() / 1_000_000,
        })
    }

    /// Starts and thaws those whose time has come; says how many it started.
    pub(crate) fn due(&mut self, args: &Soak, now: Instant) -> Result<u64, Failure> {
        let mut started = 0;
        for index in 0..self.slots.len() {
            let slot = &mut self.slots[index];
            if slot.thaws.is_some_and(|at| at <= now) {
                slot.thaws = None;
                slot.signal(Signal::SIGCONT);
            }
            if slot.starts.is_some_and(|at| at <= now) {
                slot.starts = None;
                self.start(args, index)?;
                started += 1;
            }
        }
        Ok(started)
    }

    fn start(&mut self, args: &Soak, index: usize) -> Result<(), Failure> {
        let failed = |error| Failure::Plain(format!("a child cannot be started: {error}"));
        self.last_number += 1;
        let slot = &mut self.slots[index];
        slot.number = self.last_number;
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        let role = if slot.role == SoakRole::Manager { "manager" } else { "worker" };
        command
            .args(["soak-child", "--role", role, "--name", &slot.name])
            .args(["--number", &slot.number.to_string(), "--seed", &args.seed.to_string()])
            .args(["--design", args.design.name(), "--database", &self.database])
            .args(["--run-millis", &args.run_millis.to_string(), "--haste", &HASTE.to_string()])
            .args(["--loses", &(if args.chaos { LOSES } else { 0.0 }).to_string()])
            .env(URI, &self.uri)
            .stdin(Stdio::piped())
            .stdout(Stdio::from(self.lines.try_clone().map_err(failed)?))
            .stderr(Stdio::from(self.errors.try_clone().map_err(failed)?))
            .process_group(0);
        let mut child = command.spawn().map_err(failed)?;
        slot.process = child.stdin.take().map(|input| (child, input));
        Ok(())
    }

    /// Answers a child, if it is still there.
    pub(crate) fn answer(&mut self, child: u64, answer: &Answer) {
        let slot = self.slots.iter_mut().find(|slot| slot.number == child);
        let Some((_, input)) = slot.and_then(|slot| slot.process.as_mut()) else { return };
        let mut bytes = serde_json::to_vec(answer).unwrap_or_default();
        bytes.push(b'\n');
        // One that is dead is reaped soon.
        let _ = input.write_all(&bytes);
    }

    /// The numbers of those that have ended since the last look. All that they said is in the pipe.
    pub(crate) fn reap(&mut self) -> Vec<u64> {
        let mut ended = Vec::new();
        for slot in &mut self.slots {
            let Some((child, _)) = &mut slot.process else { continue };
            if matches!(child.try_wait(), Ok(Some(_))) {
                slot.process = None;
                slot.thaws = None;
                ended.push(slot.number);
            }
        }
        ended
    }

    /// The numbers of all those that are running, or frozen.
    pub(crate) fn alive(&self, role: SoakRole) -> Vec<usize> {
        let indexed = self.slots.iter().enumerate();
        let alive = indexed.filter(|(_, slot)| slot.process.is_some() && slot.role == role);
        alive.map(|(index, _)| index).collect()
    }

    /// Has a child that is gone started again after a while.
    pub(crate) fn start_again(&mut self, child: u64, after: Duration) {
        let at = Instant::now() + after;
        let slot = self.slots.iter_mut().find(|slot| slot.number == child);
        if let Some(slot) = slot.filter(|slot| slot.process.is_none()) {
            slot.starts = Some(at);
        }
    }

    /// Thaws all that are frozen, and starts at once all that wait for it.
    pub(crate) fn calm(&mut self) {
        let now = Instant::now();
        for slot in &mut self.slots {
            slot.thaws = slot.thaws.map(|_| now);
            slot.starts = slot.starts.map(|_| now);
        }
    }
}

impl Slot {
    /// Ends the process at once. It is not reaped yet, so nobody else has its number.
    pub(crate) fn kill(&mut self) {
        if let Some((child, _)) = &mut self.process {
            let _ = child.kill();
        }
    }

    pub(crate) fn freeze(&mut self, lasting: Duration) {
        self.signal(Signal::SIGSTOP);
        self.thaws = Some(Instant::now() + lasting);
    }

    fn signal(&self, signal: Signal) {
        if let Some((child, _)) = &self.process {
            let _ = kill(Pid::from_raw(child.id().cast_signed()), signal);
        }
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        for slot in &mut self.slots {
            slot.kill();
            if let Some((child, _)) = &mut slot.process {
                let _ = child.wait();
            }
        }
    }
}
