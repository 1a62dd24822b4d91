//! `doorway replay`.

use std::path::Path;

use doorway::check::Replay;
use doorway::report::html::Page;
use doorway::report::terminal;
use doorway::store::Text;

use super::output::{self, Failure};
use super::{Exit, args, models, save};

/// Shows each step. Exits with 1 where a property falls, as with a check that expects none to.
pub(crate) fn run(args: &args::Replay) -> Result<Exit, Failure> {
    let is_saved = Path::new(&args.model).extension().is_some_and(|ending| ending == "json");
    let (replay, page, endless) = if is_saved { of_file(args)? } else { of_words(args)? };
    if let Some(file) = &args.html {
        save::write(file, &page.to_string())?;
        eprintln!("saved {}", file.display());
    }
    output::print(terminal::steps(&replay.steps, output::colours()));
    for (property, steps, why) in &replay.fallen {
        output::line(format_args!("  violated {property} after {steps} steps: {why}"));
    }
    match endless {
        Endless::Fell(how) => {
            output::line(format_args!("  violated {how}"));
            return Ok(Exit::NotAsExpected);
        }
        Endless::NotTold(property) => output::line(format_args!(
            "  whether {property} falls is not told by one run with an end: check the model for it"
        )),
        Endless::NotAsked => {}
    }
    if replay.fallen.is_empty() {
        let end = if replay.complete { "the run is over" } else { "the run could go on" };
        output::line(format_args!("  no property fell; {end}"));
        return Ok(Exit::AsExpected);
    }
    Ok(Exit::NotAsExpected)
}

/// What is to be said of a property that no run with an end breaks.
enum Endless {
    NotAsked,
    /// It fell in the run that was saved, which was made again.
    Fell(String),
    /// The schedule was edited.
    NotTold(String),
}

/// By a schedule on the command line.
fn of_words(args: &args::Replay) -> Result<(Replay, Page, Endless), Failure> {
    if args.schedule.is_empty() {
        let help = "give the process that takes each step, or a file that `check --save` wrote";
        return Err(plain(args, help));
    }
    let named = models::named(std::slice::from_ref(&args.model), &args.sizes)?;
    let system = named[0].model.system();
    let system = system.map_err(|error| plain(args, format!("cannot be set up: {error}")))?;
    let words = args.schedule.iter().flat_map(|words| words.split_whitespace());
    let schedule: Vec<Text> = words.map(Text::from).collect();
    let replay = system.replay(&schedule).map_err(|stale| plain(args, stale))?;
    let page = Page::of_replay(&schedule, &replay).headed(&named[0].model.name);
    Ok((replay, page, Endless::NotAsked))
}

/// By a counterexample that was saved. As long as nobody edits its schedule the page is that of the
/// counterexample: no replay sees by itself that a run goes on for ever.
fn of_file(args: &args::Replay) -> Result<(Replay, Page, Endless), Failure> {
    if !args.schedule.is_empty() || !args.sizes.settings.is_empty() {
        return Err(plain(args, "has its own schedule and numbers: edit them there"));
    }
    let saved = save::read(&args.model)?;
    let system = saved.model(&args.model)?.system();
    let system = system.map_err(|error| plain(args, format!("cannot be set up: {error}")))?;
    let replay = saved.replay(&system).map_err(|parts| plain(args, parts))?;
    let found = saved.found();
    let page = match &found {
        Some(found) => Page::of(found),
        None => Page::of_replay(&saved.words(), &replay),
    };
    let fell = replay.fell(&saved.property).is_some();
    let endless = match found {
        _ if fell || !saved.is_of_endless_runs() => Endless::NotAsked,
        None => Endless::NotTold(saved.property.clone()),
        Some(found) => {
            let goes_on = saved.goes_on(&system).map_err(|parts| plain(args, parts))?;
            Endless::Fell(format!("{} {goes_on}: {}", found.property, found.why))
        }
    };
    Ok((replay, page.headed(&saved.heading()), endless))
}

fn plain(args: &args::Replay, why: impl std::fmt::Display) -> Failure {
    Failure::Plain(format!("{}: {why}", args.model))
}
