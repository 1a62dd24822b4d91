//! Sleep sets (Godefroid, LNCS 1032, 1996): which runs need not be made to their end.
//!
//! loom's reduction marks where another process could have gone first, and does not notice that
//! the run which this leads to differs from one already made only in the order of steps that
//! commute. Sleep sets do. Where a process was let go first at some point and all that follows was
//! run, it need not go there once more when another goes first, until a step is taken with which
//! its own does not commute: until then it sleeps. Where all that could go on sleep, the run is
//! cut.
//!
//! loom goes depth first: when at some point of the path another process comes by, all runs in
//! which the last one came by there are made.

/// Who came by in the run that is made, point by point, and who sleeps.
#[derive(Debug, Default)]
pub(super) struct Sleep {
    path: Vec<Point>,
    at: usize,
    asleep: Vec<Explored>,
}

/// Where one process comes by.
#[derive(Debug)]
struct Point {
    process: usize,
    /// Whether the step that it took commutes with its like; `None`: it slept, and took none.
    commutes: Option<bool>,
    /// Who took a step at this state in runs that are all made.
    explored: Vec<Explored>,
}

#[derive(Clone, Copy, Debug)]
struct Explored {
    process: usize,
    commutes: bool,
}

impl Sleep {
    /// A run begins.
    pub(super) fn begin(&mut self) {
        self.at = 0;
        self.asleep.clear();
    }

    /// Whether a process slept before anyone came to the next point.
    pub(super) fn is_asleep(&self, process: usize) -> bool {
        self.asleep.iter().any(|sleeper| sleeper.process == process)
    }

    /// A process comes by. Whether it is awake, and has a step to take.
    pub(super) fn arrive(&mut self, process: usize) -> bool {
        if self.path.get(self.at).is_none_or(|point| point.process != process) {
            let explored = self.explored_here();
            self.path.push(Point { process, commutes: None, explored });
        }
        let explored = &self.path[self.at].explored;
        !self.is_asleep(process) && !explored.iter().any(|other| other.process == process)
    }

    /// Who took a step at this state, now that another process comes by.
    fn explored_here(&mut self) -> Vec<Explored> {
        let mut explored = Vec::new();
        for Point { process, commutes, explored: before } in self.path.drain(self.at..) {
            explored.extend(before);
            if let Some(commutes) = commutes {
                explored.push(Explored { process, commutes });
                break;
            }
        }
        explored
    }

    /// The process that came by has taken its step, which commutes with its like or not; `None`:
    /// it sleeps.
    pub(super) fn depart(&mut self, commutes: Option<bool>) {
        let point = &mut self.path[self.at];
        point.commutes = commutes;
        self.at += 1;
        self.asleep.extend(&point.explored);
        if let Some(commutes) = commutes {
            self.asleep.retain(|sleeper| commutes && sleeper.commutes);
        }
    }
}
