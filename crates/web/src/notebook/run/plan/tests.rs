//! The rules of the plan, one by one, and for any order of edits, runs and ends.

use proptest::prelude::*;

use super::super::outline::Section;
use super::*;

fn cell(id: u64, source: &str) -> CodeCell {
    CodeCell::new(CellId(id), Language::Elixir, source)
}

fn one_section(cells: Vec<CodeCell>) -> Outline {
    Outline { setup: None, sections: vec![Section { id: SectionId(1), parent: None, cells }] }
}

fn plan(outline: &Outline) -> Plan {
    let mut plan = Plan::default();
    plan.outline(outline);
    plan
}

/// Runs all that is queued; cells whose text says so fail.
fn run(plan: &mut Plan) -> Vec<u64> {
    let mut ran = Vec::new();
    loop {
        let jobs = plan.start();
        if jobs.is_empty() {
            return ran;
        }
        for job in jobs {
            ran.push(job.cell.id.0);
            let end = if job.cell.source.contains("raise") { End::Failed } else { End::Value };
            assert!(plan.done(job.cell.id, job.number, end));
        }
    }
}

fn marks(plan: &Plan) -> Vec<Mark> {
    plan.marks().into_iter().map(|(_, mark)| mark).collect()
}

#[test]
fn a_cell_runs_with_those_above_that_have_not_run() {
    let mut plan = plan(&one_section(vec![cell(1, "a"), cell(2, "b"), cell(3, "c")]));
    plan.queue(Ask::Cell(CellId(2)));
    assert_eq!(marks(&plan), [Mark::Queued, Mark::Queued, Mark::New]);
    assert_eq!(run(&mut plan), [1, 2]);
    assert_eq!(marks(&plan), [Mark::Fresh, Mark::Fresh, Mark::New]);
    plan.queue(Ask::Cell(CellId(3)));
    let job = plan.start().remove(0);
    assert_eq!((job.cell.id, job.context), (CellId(3), Some(CellId(2))));
}

#[test]
fn an_edit_or_a_run_makes_what_is_below_stale() {
    let mut outline = one_section(vec![cell(1, "a"), cell(2, "b"), cell(3, "c")]);
    let mut plan = plan(&outline);
    plan.queue(Ask::All);
    run(&mut plan);
    plan.queue(Ask::Cell(CellId(2)));
    run(&mut plan);
    assert_eq!(marks(&plan), [Mark::Fresh, Mark::Fresh, Mark::Stale]);
    plan.queue(Ask::Stale);
    assert_eq!(run(&mut plan), [3]);
    outline.sections[0].cells[1].source = "b2".into();
    plan.outline(&outline);
    assert_eq!(marks(&plan), [Mark::Fresh, Mark::Stale, Mark::Stale]);
    outline.sections[0].cells[1].source = "b".into();
    plan.outline(&outline);
    assert_eq!(marks(&plan), [Mark::Fresh, Mark::Fresh, Mark::Fresh]);
    outline.sections[0].cells.swap(0, 1);
    plan.outline(&outline);
    assert_eq!(marks(&plan), [Mark::Stale, Mark::Stale, Mark::Stale]);
    outline.sections[0].cells.remove(0);
    assert_eq!(plan.outline(&outline), Gone { cells: vec![CellId(2)], running: vec![] });
}

#[test]
fn branches_run_beside_the_main_flow() {
    let branch = |id, cells| Section { id: SectionId(id), parent: Some(SectionId(1)), cells };
    let mut outline = one_section(vec![cell(1, "a")]);
    outline.sections.push(branch(2, vec![cell(2, "b"), cell(3, "c")]));
    outline.sections.push(Section { id: SectionId(3), parent: None, cells: vec![cell(4, "d")] });
    let mut plan = plan(&outline);
    plan.queue(Ask::All);
    let jobs = plan.start();
    assert_eq!(jobs.iter().map(|job| job.cell.id.0).collect::<Vec<_>>(), [1]);
    plan.done(CellId(1), jobs[0].number, End::Value);
    let jobs = plan.start();
    let began: Vec<_> = jobs.iter().map(|job| (job.cell.id.0, job.context, job.lane)).collect();
    assert_eq!(began, [(2, Some(CellId(1)), Some(SectionId(2))), (4, Some(CellId(1)), None)]);
    // The first cell may run again meanwhile only when the main flow has nothing that runs.
    plan.queue(Ask::Cell(CellId(1)));
    assert!(plan.start().is_empty());
    plan.done(CellId(4), jobs[1].number, End::Value);
    assert_eq!(plan.start().len(), 1);
    // And what builds on it waits for it.
    plan.done(CellId(2), jobs[0].number, End::Value);
    assert!(plan.start().is_empty());
}

#[test]
fn a_failure_ends_what_is_below_unless_it_may_go_on() {
    let mut outline = one_section(vec![cell(1, "a"), cell(2, "raise"), cell(3, "c")]);
    let mut plan = plan(&outline);
    plan.queue(Ask::All);
    assert_eq!(run(&mut plan), [1, 2]);
    assert_eq!(marks(&plan), [Mark::Fresh, Mark::Failed, Mark::Aborted]);
    plan.queue(Ask::Stale);
    let job = plan.start().remove(0);
    assert_eq!((job.cell.id, job.context), (CellId(3), Some(CellId(1))));
    plan.done(job.cell.id, job.number, End::Value);
    outline.sections[0].cells[1].continue_on_error = true;
    plan.outline(&outline);
    plan.queue(Ask::All);
    assert_eq!(run(&mut plan), [1, 2, 3]);
    assert_eq!(marks(&plan), [Mark::Fresh, Mark::Failed, Mark::Fresh]);
}

#[test]
fn cancelling_ends_what_runs_and_what_waits_for_it() {
    let mut plan = plan(&one_section(vec![cell(1, "a"), cell(2, "b"), cell(3, "c")]));
    plan.queue(Ask::All);
    let first = plan.start().remove(0);
    plan.done(first.cell.id, first.number, End::Value);
    let second = plan.start().remove(0);
    assert_eq!(plan.cancel(CellId(2)), Some(second.number));
    assert!(plan.done(CellId(2), second.number, End::Aborted));
    assert!(!plan.done(CellId(2), second.number, End::Value));
    assert_eq!(marks(&plan), [Mark::Fresh, Mark::Aborted, Mark::Aborted]);
    assert!(plan.is_idle());
    // What the first has bound is still there.
    plan.queue(Ask::Cell(CellId(2)));
    assert_eq!(plan.start().remove(0).context, Some(CellId(1)));
}

#[test]
fn a_lost_node_has_forgotten_everything() {
    let mut plan = plan(&one_section(vec![cell(1, "a"), cell(2, "b")]));
    plan.queue(Ask::All);
    run(&mut plan);
    plan.queue(Ask::Cell(CellId(2)));
    let job = plan.start().remove(0);
    plan.lost();
    assert_eq!(marks(&plan), [Mark::Stale, Mark::Aborted]);
    assert!(!plan.done(CellId(2), job.number, End::Value));
    plan.queue(Ask::Cell(CellId(2)));
    assert_eq!(run(&mut plan), [1, 2]);
}

#[test]
fn some_cells_run_by_themselves() {
    let mut outline = one_section(vec![cell(1, "a"), cell(2, "b"), cell(3, "c")]);
    outline.sections[0].cells[2].reevaluate_automatically = true;
    let mut plan = plan(&outline);
    plan.queue(Ask::Cell(CellId(1)));
    assert_eq!(run(&mut plan), [1], "not before it was run by hand");
    plan.queue(Ask::All);
    run(&mut plan);
    plan.queue(Ask::Cell(CellId(1)));
    assert_eq!(run(&mut plan), [1, 3]);
}

#[derive(Debug, Clone)]
enum Step {
    Edit(usize, u8),
    Move(usize, usize),
    Insert(usize, u8),
    Remove(usize),
    Branch(usize, Option<usize>),
    Queue(usize),
    Stale,
    Start,
    Done(usize, bool),
    Cancel(usize),
    Lost,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (any::<usize>(), any::<u8>()).prop_map(|(at, text)| Step::Edit(at, text % 4)),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(from, to)| Step::Move(from, to)),
        1 => (any::<usize>(), any::<u8>()).prop_map(|(at, text)| Step::Insert(at, text % 4)),
        1 => any::<usize>().prop_map(Step::Remove),
        1 => (any::<usize>(), any::<Option<usize>>()).prop_map(|(at, parent)| Step::Branch(at, parent)),
        3 => any::<usize>().prop_map(Step::Queue),
        2 => Just(Step::Stale),
        6 => Just(Step::Start),
        8 => (any::<usize>(), prop::bool::weighted(0.8)).prop_map(|(at, is_value)| Step::Done(at, is_value)),
        1 => any::<usize>().prop_map(Step::Cancel),
        1 => Just(Step::Lost),
    ]
}

/// What a cell comes to: its own text, on top of what those above it came to.
type Meaning = Vec<String>;

/// What the node would know if all were run from the start, the failing ones failing.
fn from_the_start(plan: &Plan, at: usize) -> Meaning {
    let place = plan.order.get(at).expect("a place");
    let mut meaning = place.above.map_or_else(Vec::new, |above| from_the_start(plan, above));
    meaning.push(place.cell.source.to_string());
    meaning
}

proptest! {
    /// No cell is fresh, or has failed for good, whose text or whose upstream is other than when it ran.
    #[test]
    fn what_is_fresh_is_what_a_run_from_the_start_gives(steps in prop::collection::vec(step(), 1..80)) {
        let sections = (0..3).map(|section| Section {
            id: SectionId(section),
            parent: (section == 1).then_some(SectionId(0)),
            cells: (0..3).map(|number| cell(section * 10 + number, "0")).collect(),
        });
        let mut outline = Outline { setup: Some(cell(99, "s")), sections: sections.collect() };
        let mut plan = plan(&outline);
        let mut running: Vec<(Job, Meaning)> = Vec::new();
        let mut known: HashMap<CellId, Meaning> = HashMap::new();
        let mut named = 100;
        for step in steps {
            let places: Vec<(usize, usize)> = outline.sections.iter().enumerate()
                .flat_map(|(section, of)| (0..of.cells.len()).map(move |at| (section, at))).collect();
            let place = |at: usize| places.get(at % places.len().max(1)).copied();
            let id_of = |outline: &Outline, at: usize| {
                place(at).map_or(CellId(99), |(section, at)| outline.sections[section].cells[at].id)
            };
            match step {
                Step::Edit(at, text) => match place(at) {
                    Some((section, at)) => outline.sections[section].cells[at].source =
                        if text == 0 { "".into() } else { text.to_string().into() },
                    None => continue,
                },
                Step::Move(from, to) => match (place(from), place(to)) {
                    (Some((from, at)), Some((to, before))) => {
                        let moved = outline.sections[from].cells.remove(at);
                        let to = &mut outline.sections[to].cells;
                        to.insert(before.min(to.len()), moved);
                    }
                    _ => continue,
                },
                Step::Insert(section, text) => {
                    named += 1;
                    outline.sections[section % 3].cells.insert(0, cell(named, &text.to_string()));
                }
                Step::Remove(at) => match place(at) {
                    Some((section, at)) => drop(outline.sections[section].cells.remove(at)),
                    None => continue,
                },
                Step::Branch(at, parent) => {
                    outline.sections[at % 3].parent = parent.map(|parent| SectionId(parent as u64 % 3));
                }
                Step::Queue(at) => plan.queue(Ask::Cell(id_of(&outline, at))),
                Step::Stale => plan.queue(Ask::Stale),
                Step::Start => {
                    for job in plan.start() {
                        // What is above has run, and nothing of it runs or waits.
                        let at = plan.order.at(job.cell.id).expect("it is there");
                        for above in plan.order.all_above(at) {
                            let above = plan.order.get(above).expect("a place").cell.id;
                            prop_assert!(!plan.pending.contains_key(&above));
                        }
                        let above = plan.order.get(at).and_then(|place| place.above);
                        let above = above.and_then(|above| known.get(&plan.order.get(above)?.cell.id));
                        let mut meaning = above.cloned().unwrap_or_default();
                        meaning.push(job.cell.source.to_string());
                        prop_assert!(running.iter().all(|(other, _)| other.lane != job.lane
                            || plan.order.at(other.cell.id).is_none()));
                        running.push((job, meaning));
                    }
                }
                Step::Done(..) if running.is_empty() => continue,
                Step::Done(at, is_value) => {
                    let (job, meaning) = running.remove(at % running.len());
                    let end = if is_value { End::Value } else { End::Failed };
                    if plan.done(job.cell.id, job.number, end) {
                        known.insert(job.cell.id, meaning);
                    }
                }
                Step::Cancel(at) => {
                    let id = id_of(&outline, at);
                    if let Some(number) = plan.cancel(id) {
                        prop_assert!(plan.done(id, number, End::Aborted));
                        running.retain(|(job, _)| job.number != number);
                        known.remove(&id);
                    }
                }
                Step::Lost => {
                    plan.lost();
                    running.clear();
                    known.clear();
                }
            }
            let gone = plan.outline(&outline);
            gone.cells.iter().for_each(|cell| drop(known.remove(cell)));
            running.retain(|(job, _)| !gone.running.iter().any(|(_, number)| *number == job.number));
            for (cell, mark) in plan.marks() {
                if matches!(mark, Mark::Fresh | Mark::Failed) {
                    let at = plan.order.at(cell).expect("it is there");
                    prop_assert_eq!(known.get(&cell), Some(&from_the_start(&plan, at)));
                }
            }
        }
    }
}
