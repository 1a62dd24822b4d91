//! A process under check: async code, run step by step.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use super::cx::Cx;
use super::mailbox::{Known, Matters, Told};
use super::mutation::Edge;
use super::request::{Answer, Request};
use super::strand::Strand;
use super::system::Guards;
use crate::store::{Text, WriteConcern};

type BoxFuture = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// The code of one activity: given its handle, the future that does it.
pub type Body = Arc<dyn Fn(Cx) -> BoxFuture + Send + Sync>;

/// What an activity may return: nothing, or a `Result` whose error stops the process.
pub trait Done {
    /// Whether the process goes on.
    ///
    /// # Errors
    ///
    /// Why it does not.
    fn done(self) -> Result<(), String>;
}

impl Done for () {
    fn done(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: fmt::Display> Done for Result<(), E> {
    fn done(self) -> Result<(), String> {
        self.map_err(|error| error.to_string())
    }
}

/// A process: a name, and activities that it does one after another.
///
/// Between two activities it keeps nothing. Within one, all that it learns are the answers to its
/// requests; a process that draws on anything else (a clock, a random source, memory shared
/// behind the store's back) has no reproducible runs.
#[derive(Clone)]
pub struct Process {
    /// The name: how schedules, traces and errors call the process.
    pub name: Text,
    pub(crate) activities: Vec<Body>,
    pub(crate) edge: Edge,
    write: Option<WriteConcern>,
    leaves_out: Arc<AtomicBool>,
}

/// Whether guards run beside the work of a process; where not, it is noted that one was left out.
#[derive(Clone, Debug)]
pub(crate) struct Guarding {
    run: bool,
    leaves_out: Arc<AtomicBool>,
}

impl Guarding {
    /// Asked where a guard is to run.
    pub(crate) fn runs_guards(&self) -> bool {
        if !self.run {
            self.leaves_out.store(true, Ordering::Relaxed);
        }
        self.run
    }
}

impl Process {
    /// A process with no activity yet.
    #[must_use]
    pub fn new(name: impl Into<Text>) -> Process {
        Process {
            name: name.into(),
            activities: Vec::new(),
            edge: Edge::default(),
            write: None,
            leaves_out: Arc::default(),
        }
    }

    /// The same process, whose writes are acknowledged so, whatever its code says.
    #[must_use]
    pub fn writing(mut self, write: WriteConcern) -> Process {
        self.write = Some(write);
        self
    }

    /// The same process with one more activity at the end.
    ///
    /// An error stops the process there and then, and the run reports it.
    #[must_use]
    pub fn then<F, A>(mut self, activity: F) -> Process
    where
        F: Fn(Cx) -> A + Send + Sync + 'static,
        A: Future<Output: Done> + Send + 'static,
    {
        let activity = Arc::new(activity);
        self.activities.push(Arc::new(move |cx| {
            let activity = Arc::clone(&activity);
            Box::pin(async move { activity(cx).await.done() })
        }));
        self
    }

    /// Whether a guard was ever left out that was to run beside its work.
    pub(crate) fn has_left_out_guards(&self) -> bool {
        self.leaves_out.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} activities)", self.name, self.activities.len())
    }
}

/// Where a process stands after it was resumed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Stands {
    /// It asks for something, and waits for the answer.
    Asks(Request),
    /// It has guards beside what it does: what each strand asks for, the process itself first.
    Beside(Vec<(Strand, Request)>),
    /// It has done all its activities.
    Ended,
    /// It stopped with an error.
    Failed(Text),
}

impl Stands {
    /// What a strand asks for, if it is there.
    pub(crate) fn asks(&self, strand: Strand) -> Option<&Request> {
        match self {
            Stands::Asks(request) => (strand == Strand::MAIN).then_some(request),
            Stands::Beside(strands) => {
                strands.iter().find(|(known, _)| *known == strand).map(|(_, request)| request)
            }
            Stands::Ended | Stands::Failed(_) => None,
        }
    }
}

/// A process being run: its code, suspended between a request and the answer.
pub(crate) struct Coroutine {
    process: Process,
    activity: usize,
    cx: Cx,
    future: Option<BoxFuture>,
}

impl Coroutine {
    /// Starts the process and runs it to its first request.
    pub(crate) fn start(process: &Process, guards: Guards) -> (Coroutine, Stands, Told) {
        Coroutine::prepare(process, guards, 0).begin()
    }

    /// The same from the start of an activity: before it the process has learnt nothing that it still
    /// knows. What it distils there is kept, and some was kept before.
    pub(crate) fn start_at(
        process: &Process,
        guards: Guards,
        activity: usize,
        known: Vec<Known>,
    ) -> (Coroutine, Stands, Told) {
        let coroutine = Coroutine::prepare(process, guards, activity);
        coroutine.cx.recall(known);
        coroutine.begin()
    }

    fn prepare(process: &Process, guards: Guards, activity: usize) -> Coroutine {
        let leaves_out = Arc::clone(&process.leaves_out);
        let guarding = Guarding { run: guards.run(), leaves_out };
        let cx = Cx::new(process.name.clone(), process.edge.clone(), process.write, guarding);
        Coroutine { process: process.clone(), activity, cx, future: None }
    }

    fn begin(mut self) -> (Coroutine, Stands, Told) {
        let (stands, told) = self.poll();
        (self, stands, told)
    }

    /// Hands over the answer to the last request of a strand and runs the process to its next one.
    pub(crate) fn resume(&mut self, strand: Strand, answer: Answer) -> (Stands, Told) {
        self.cx.put_answer(strand, answer);
        self.poll()
    }

    /// Whether it was to know something that none of its works has come to.
    pub(crate) fn has_more_to_recall(&self) -> bool {
        self.cx.has_more_to_recall()
    }

    /// What of the activity under way still matters, in an order in which it may be given again.
    pub(crate) fn matter(&self) -> Vec<Matters> {
        self.cx.matter()
    }

    /// The number of the activity that is under way.
    pub(crate) fn activity(&self) -> usize {
        self.activity
    }

    fn poll(&mut self) -> (Stands, Told) {
        let stands = catch_unwind(AssertUnwindSafe(|| self.advance()))
            .unwrap_or_else(|panic| Stands::Failed(panic_text(&*panic)));
        (stands, self.cx.take_told())
    }

    fn advance(&mut self) -> Stands {
        loop {
            let Some(body) = self.process.activities.get(self.activity) else {
                return Stands::Ended;
            };
            let future = self.future.get_or_insert_with(|| body(self.cx.clone()));
            match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Ok(())) => {
                    self.future = None;
                    self.activity += 1;
                }
                Poll::Ready(Err(error)) => return Stands::Failed(error.into()),
                Poll::Pending => return self.suspended(),
            }
        }
    }

    fn suspended(&self) -> Stands {
        self.cx
            .asked()
            .unwrap_or_else(|fault| Stands::Failed(format!("{} {fault}", self.process.name).into()))
    }
}

pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> Text {
    let text = (panic.downcast_ref::<&str>().copied())
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("(no message)")).into()
}
