//! `doorway replay`.

use doorway::report::terminal;
use doorway::store::Text;

use super::args::Replay;
use super::output::{self, Failure};
use super::{Exit, models};

/// Shows each step. Exits with 1 where a property falls, as with a check that expects none to.
pub(crate) fn run(args: &Replay) -> Result<Exit, Failure> {
    let names = [args.model.clone()];
    let plain = |why: String| Failure::Plain(format!("{}: {why}", args.model));
    let model = &models::named(&names, &args.sizes)?[0];
    let system = model.system().map_err(|error| plain(format!("cannot be set up: {error}")))?;
    let schedule: Vec<Text> =
        args.schedule.iter().flat_map(|words| words.split_whitespace()).map(Text::from).collect();
    let replay = system.replay(&schedule).map_err(|stale| plain(stale.to_string()))?;
    output::print(terminal::steps(&replay.steps, output::colours()));
    for (property, steps, why) in &replay.fallen {
        output::line(format_args!("  violated {property} after {steps} steps: {why}"));
    }
    if replay.fallen.is_empty() {
        let end = if replay.complete { "the run is over" } else { "the run could go on" };
        output::line(format_args!("  no property fell; {end}"));
        return Ok(Exit::AsExpected);
    }
    Ok(Exit::NotAsExpected)
}
