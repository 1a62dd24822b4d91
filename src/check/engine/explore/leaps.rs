//! What is known of the steps, ready for a search: a step as the difference of two keys.
//!
//! A step changes the number of where its process stands, and that of the part of the world which
//! decides it. Both are looked up to find the step. So the bits of the key that it turns can be kept
//! instead of what it leads to, as long as the fields of the key stay where they are; and to follow
//! a step is one look-up, whatever decides it, and one operation.

use super::pack::{Field, Layout, Packed, WORD};
use super::space::{Next, Part, Place, Space};

/// What a key never has: says that the first word of a cell is one of these.
const NO_STEP: u64 = 1 << WORD;
/// The process cannot go on.
const BLOCKED: u64 = NO_STEP;
/// What two parts decide, or is not clear: [`Space::next`] knows.
const ODD: u64 = NO_STEP | 1;
/// It was not asked for yet.
const UNKNOWN: u64 = NO_STEP | 2;

/// Where the row of all that depends on nothing is, and in it the first two cells.
const FREE: usize = 0;
const AT_BLOCKED: usize = 0;
const AT_ODD: usize = 1;
const RESERVED: usize = 2;

/// Where the cell of a place is: so far behind the row for the content of a part.
#[derive(Clone, Copy, Debug)]
struct Column {
    part: u32,
    behind: u32,
}

/// Where in a key it stands where a process is, and where the columns of its places begin.
#[derive(Clone, Copy, Debug)]
struct Stand {
    field: Field,
    first: u32,
}

/// What came of a look at the steps of a state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stepped {
    /// Whether a process could go on.
    pub(super) goes_on: bool,
    /// Whether there are odd steps besides.
    pub(super) odd: bool,
}

/// The rows for the contents of a part.
#[derive(Clone, Debug)]
struct Rows {
    part: Part,
    field: Field,
    /// How many cells a row has.
    width: usize,
    /// Where each begins; [`Leaps::unknown`] if it is not there.
    begins: Vec<usize>,
}

/// What is known of the steps, for keys of one layout.
#[derive(Clone, Debug)]
pub(super) struct Leaps<const N: usize> {
    layout: Layout,
    /// One for each process.
    stands: Vec<Stand>,
    /// For each process, for each place where it can stand.
    columns: Vec<Column>,
    /// Those of the store, and of each queue.
    rows: Vec<Rows>,
    cells: Vec<Packed<N>>,
    /// The label of each, if a property listens.
    labels: Vec<u32>,
    /// Where the row without a known cell begins.
    unknown: usize,
    listens: bool,
}

impl<const N: usize> Leaps<N> {
    /// All that is known so far.
    pub(super) fn new(space: &Space<'_>, layout: &Layout) -> Leaps<N> {
        let width = |part| (space.size_of(part).0 * 3 / 2).next_multiple_of(8);
        let fields = layout.queues.iter().enumerate();
        let queues = fields.map(|(number, field)| (Part::Queue(number as u32), *field));
        let parts = [(Part::Store, layout.store)].into_iter().chain(queues);
        let rows: Vec<Rows> = parts
            .map(|(part, field)| Rows { part, field, width: width(part), begins: Vec::new() })
            .collect();
        let unknown = RESERVED + width(Part::Neither);
        let widest = rows.iter().map(|rows| rows.width).max().unwrap_or(0);
        let mut leaps = Leaps {
            layout: layout.clone(),
            stands: Vec::new(),
            columns: Vec::new(),
            rows,
            cells: Vec::new(),
            labels: Vec::new(),
            unknown,
            listens: !space.judge.is_idle(),
        };
        leaps.add_cells(unknown + widest);
        leaps.cells[AT_BLOCKED][0] = BLOCKED;
        leaps.cells[AT_ODD][0] = ODD;
        leaps.place_all(space);
        leaps.fill(space);
        leaps
    }

    /// Takes in what was found out about a state.
    pub(super) fn learn(&mut self, space: &Space<'_>, layout: &Layout, states: &[Packed<N>]) {
        if *layout != self.layout || self.is_too_narrow(space) {
            *self = Leaps::new(space, layout);
            return;
        }
        self.place_all(space);
        for state in states {
            for process in 0..self.stands.len() {
                let local = self.layout.locals[process].get(state);
                let place = space.places()[process][local as usize];
                let Some(rows) = rows_of(place.part) else { continue };
                let content = rows.map_or(0, |rows| self.rows[rows].field.get(state));
                self.put(space, (process, local), rows, content);
            }
        }
    }

    fn is_too_narrow(&self, space: &Space<'_>) -> bool {
        let free = self.unknown - RESERVED;
        self.rows.iter().any(|rows| rows.width < space.size_of(rows.part).0)
            || free < space.size_of(Part::Neither).0
    }

    /// Gives every place its column.
    fn place_all(&mut self, space: &Space<'_>) {
        let column = |place: &Place| match place.part {
            Part::Over => Column { part: 0, behind: AT_BLOCKED as u32 },
            Part::Both(_) | Part::Unclear => Column { part: 0, behind: AT_ODD as u32 },
            Part::Neither => Column { part: 0, behind: place.column + RESERVED as u32 },
            Part::Store => Column { part: 1, behind: place.column },
            Part::Queue(queue) => Column { part: queue + 2, behind: place.column },
        };
        self.stands.clear();
        self.columns.clear();
        for (field, places) in self.layout.locals.iter().zip(space.places()) {
            self.stands.push(Stand { field: *field, first: self.columns.len() as u32 });
            self.columns.extend(places.iter().map(column));
        }
    }

    /// Fills in all that is known.
    fn fill(&mut self, space: &Space<'_>) {
        for (process, places) in space.places().iter().enumerate() {
            for (local, place) in (0..).zip(places) {
                let Some(rows) = rows_of(place.part) else { continue };
                for content in 0..space.size_of(place.part).1 as u32 {
                    self.put(space, (process, local), rows, content);
                }
            }
        }
    }

    /// Fills in what is known of one step; `rows` are those of the part that decides it.
    fn put(
        &mut self,
        space: &Space<'_>,
        (process, local): (usize, u32),
        rows: Option<usize>,
        content: u32,
    ) {
        let place = space.places()[process][local as usize];
        let Some(known) = space.known(place, content) else { return };
        let row = rows.map_or(FREE, |rows| self.row(rows, content));
        let at = row + self.column(process, local).behind as usize;
        let mut cell = [0; N];
        match known {
            None => cell[0] = BLOCKED,
            Some(known) => {
                self.layout.locals[process].put(&mut cell, local ^ known.local);
                if let Some(rows) = rows {
                    self.rows[rows].field.put(&mut cell, content ^ known.content);
                }
                if self.listens {
                    self.labels[at] = known.label;
                }
            }
        }
        self.cells[at] = cell;
    }

    fn column(&self, process: usize, local: u32) -> Column {
        self.columns[(self.stands[process].first + local) as usize]
    }

    /// Where the row for a content begins, a new one if there was none.
    fn row(&mut self, rows: usize, content: u32) -> usize {
        let end = self.cells.len();
        let Rows { begins, width, .. } = &mut self.rows[rows];
        if begins.len() <= content as usize {
            begins.resize(content as usize + 1, self.unknown);
        }
        if begins[content as usize] != self.unknown {
            return begins[content as usize];
        }
        begins[content as usize] = end;
        let width = *width;
        self.add_cells(width);
        end
    }

    fn add_cells(&mut self, count: usize) {
        let mut unknown = [0; N];
        unknown[0] = UNKNOWN;
        self.cells.resize(self.cells.len() + count, unknown);
        if self.listens {
            self.labels.resize(self.cells.len(), 0);
        }
    }

    /// Calls `visit` with what each process does next, but for the odd steps; `None` where a step
    /// is not known yet. What is at `begins` is of no account.
    #[inline(always)]
    pub(super) fn steps(
        &self,
        space: &Space<'_>,
        key: &Packed<N>,
        begins: &mut Vec<usize>,
        visit: impl FnMut(Packed<N>),
    ) -> Option<Stepped> {
        begins.clear();
        begins.push(FREE);
        for rows in &self.rows {
            let content = rows.field.get(key) as usize;
            begins.push(rows.begins.get(content).copied().unwrap_or(self.unknown));
        }
        if space.is_plain() {
            self.steps_from::<true>(space, key, begins, visit)
        } else {
            self.steps_from::<false>(space, key, begins, visit)
        }
    }

    #[inline(always)]
    fn steps_from<const PLAIN: bool>(
        &self,
        space: &Space<'_>,
        key: &Packed<N>,
        begins: &[usize],
        mut visit: impl FnMut(Packed<N>),
    ) -> Option<Stepped> {
        let mut stepped = Stepped { goes_on: false, odd: false };
        for Stand { field, first } in &self.stands {
            let Column { part, behind } = self.columns[*first as usize + field.get(key) as usize];
            let at = begins[part as usize] + behind as usize;
            let cell = &self.cells[at];
            if cell[0] >= NO_STEP {
                match cell[0] {
                    BLOCKED => continue,
                    ODD => {
                        stepped.odd = true;
                        continue;
                    }
                    _ => return None,
                }
            }
            let mut next: Packed<N> = std::array::from_fn(|word| key[word] ^ cell[word]);
            if !PLAIN {
                next = self.finish(space, key, next, at)?;
            }
            stepped.goes_on = true;
            visit(next);
        }
        Some(stepped)
    }

    /// What else a step changes: what the properties remember, and the names.
    #[inline]
    fn finish(
        &self,
        space: &Space<'_>,
        key: &Packed<N>,
        mut next: Packed<N>,
        at: usize,
    ) -> Option<Packed<N>> {
        if self.listens {
            let after = (self.layout.store.get(&next), self.labels[at]);
            let memory = space.remember(&self.layout, key, &next, after)?;
            self.layout.memory.put(&mut next, memory);
        }
        space.canonical(&self.layout, next)
    }

    /// The same for the odd steps; whether a process could go on.
    pub(super) fn odd_steps(
        &self,
        space: &Space<'_>,
        key: &Packed<N>,
        mut visit: impl FnMut(Packed<N>),
    ) -> Option<bool> {
        let mut goes_on = false;
        for (process, Stand { field, first }) in self.stands.iter().enumerate() {
            let column = self.columns[*first as usize + field.get(key) as usize];
            if column.part != 0 || column.behind != AT_ODD as u32 {
                continue;
            }
            match space.next(&self.layout, key, process)? {
                Next::Blocked => continue,
                Next::Unclear => {}
                Next::To(next) => visit(next),
            }
            goes_on = true;
        }
        Some(goes_on)
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        let rows: usize = self.rows.iter().map(|rows| rows.begins.capacity()).sum();
        self.cells.capacity() * size_of::<Packed<N>>() + (self.labels.capacity() + rows) * 8
    }
}

/// Which rows are those of the part that decides a step, if any has to; `None` for odd steps, and
/// where there are none.
fn rows_of(part: Part) -> Option<Option<usize>> {
    match part {
        Part::Over | Part::Both(_) | Part::Unclear => None,
        Part::Neither => Some(None),
        Part::Store => Some(Some(0)),
        Part::Queue(queue) => Some(Some(queue as usize + 1)),
    }
}
