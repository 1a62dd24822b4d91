//! `doorway init`, `status` and `migrate`: a database and what is in it.

use doorway::report::grouped;
use doorway::reservation::doorway::migrate::{Plan, Step, carry_out, plan};
use doorway::reservation::doorway::overview::{Overview, overview};
use doorway::reservation::doorway::schema::RESERVATIONS;
use doorway::reservation::doorway::setup::{self, set_up};
use doorway::store::StoreError;
use doorway::store::mongo::MongoStore;

use super::Exit;
use super::args::{Database, Format, Migrate, Status};
use super::output::{self, Failure};

pub(crate) fn init(args: &Database) -> Result<Exit, Failure> {
    within(args, async |store| {
        set_up(store).await.map_err(|error| failure(args, &error))?;
        for (collection, indexes) in setup::collections() {
            let names: Vec<_> =
                ["_id_".into()].into_iter().chain(indexes.iter().map(|i| i.name.clone())).collect();
            output::line(format_args!("{collection}: {}", names.join(", ")));
        }
        Ok(Exit::AsExpected)
    })
}

pub(crate) fn status(args: &Status) -> Result<Exit, Failure> {
    within(&args.database, async |store| {
        verify(&args.database, store).await?;
        let seen =
            overview(store).await.map_err(|error| of_another_form(&args.database, &error))?;
        match args.format {
            Format::Json => print_lines(&seen)?,
            Format::Text => print_table(&seen),
        }
        Ok(Exit::AsExpected)
    })
}

pub(crate) fn migrate(args: &Migrate) -> Result<Exit, Failure> {
    within(&args.database, async |store| {
        let failed = |error: StoreError| failure(&args.database, &error);
        let plan = plan(store).await.map_err(failed)?;
        // While records move, the new index must not be there either.
        let moves = plan.steps.iter().any(|step| matches!(step, Step::Move(_)));
        let kept = if moves { Vec::new() } else { indexes() };
        let old = store.other_indexes(RESERVATIONS, &kept).await.map_err(failed)?;
        for name in &old {
            output::line(format_args!("index {name} of {RESERVATIONS} goes"));
        }
        plan.steps.iter().for_each(output::line);
        if !args.dry_run {
            for name in &old {
                store.drop_index(RESERVATIONS, name).await.map_err(failed)?;
            }
            carry_out(store, &plan).await.map_err(failed)?;
            make_indexes(store).await.map_err(failed)?;
        }
        plan.left.iter().for_each(|left| {
            output::line(format_args!("{}: LEFT as it is: {}", left.what, left.why));
        });
        output::line(summary(&plan, args.dry_run));
        Ok(if plan.left.is_empty() { Exit::AsExpected } else { Exit::NotAsExpected })
    })
}

/// Sets the database up, as far as what is left there lets it.
async fn make_indexes(store: &MongoStore) -> Result<(), StoreError> {
    match set_up(store).await {
        Err(error) if error.is_duplicate_key() => {
            output::line(format_args!(
                "index worker_name_1 of {RESERVATIONS} cannot be made yet, since two documents that are \
                 left name one worker: decide them, and run this again"
            ));
            Ok(())
        }
        done => done,
    }
}

fn indexes() -> Vec<doorway::store::Index> {
    let collections = setup::collections().into_iter();
    collections.filter(|(name, _)| *name == RESERVATIONS).flat_map(|(_, indexes)| indexes).collect()
}

fn summary(plan: &Plan, dry_run: bool) -> String {
    let count = |which: fn(&&Step) -> bool| grouped(plan.steps.iter().filter(which).count() as u64);
    format!(
        "{}: {} tasks into lists, {} reservations of story #898, {} empty ones; {} left as they are",
        if dry_run { "to do" } else { "done" },
        count(|step| matches!(step, Step::Move(_))),
        count(|step| matches!(step, Step::Adopt { .. })),
        count(|step| matches!(step, Step::Drop { .. })),
        plan.left.len(),
    )
}

/// Does something with a database, once it was reached.
fn within(
    args: &Database,
    work: impl AsyncFnOnce(&MongoStore) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Plain(format!("no runtime: {error}")))?;
    runtime.block_on(async {
        let store = MongoStore::connect(&args.uri, &args.database).await;
        work(&store.map_err(|error| failure(args, &error))?).await
    })
}

async fn verify(args: &Database, store: &MongoStore) -> Result<(), Failure> {
    let verified = store.verify(RESERVATIONS, &indexes()).await;
    verified.map_err(|error| {
        Failure::Plain(format!("{}: {error}; `doorway init` sets a database up", args.database))
    })
}

fn failure(args: &Database, error: &StoreError) -> Failure {
    Failure::Plain(format!("{}: {error}", args.database))
}

fn of_another_form(args: &Database, error: &StoreError) -> Failure {
    let cure = if error.is_data() {
        "; `doorway migrate --dry-run` says which reservations are of an older form"
    } else {
        ""
    };
    Failure::Plain(format!("{}: {error}{cure}", args.database))
}

fn print_lines(seen: &Overview) -> Result<(), Failure> {
    for reserved in &seen.reserved {
        let line = serde_json::to_string(reserved);
        output::line(line.map_err(|error| Failure::Plain(error.to_string()))?);
    }
    Ok(())
}

/// A table as wide as its longest names.
fn print_table(seen: &Overview) {
    let rows: Vec<[String; 4]> = seen
        .reserved
        .iter()
        .map(|one| {
            let worker = match &one.worker {
                Some(worker) if one.is_alive => worker.to_string(),
                Some(worker) => format!("{worker} (gone)"),
                None => "-".into(),
            };
            let first = one.tasks.first().map_or("", |task| task);
            let queue = format!("{} (first: {first})", grouped(one.tasks.len() as u64));
            let before = if one.worker.is_some() {
                "-".into()
            } else {
                grouped(one.before as u64).to_string()
            };
            [one.resource.to_string(), worker, queue, before]
        })
        .collect();
    let heading = ["RESOURCE", "WORKER", "QUEUE", "BEFORE IT"].map(str::to_owned);
    let wide = |column: usize| {
        rows.iter().chain([&heading]).map(|row| row[column].chars().count()).max().unwrap_or(0)
    };
    let widths = [wide(0), wide(1), wide(2)];
    for [resource, worker, queue, before] in [&heading].into_iter().chain(&rows) {
        let [first, second, third] = widths;
        output::line(format_args!("{resource:first$}  {worker:second$}  {queue:third$}  {before}"));
    }
    let free = seen
        .workers
        .iter()
        .filter(|worker| seen.reserved.iter().all(|one| one.worker.as_ref() != Some(worker)));
    output::line(format_args!(
        "{} resources reserved; {} workers registered, {} of them free",
        grouped(rows.len() as u64),
        grouped(seen.workers.len() as u64),
        grouped(free.count() as u64),
    ));
}
