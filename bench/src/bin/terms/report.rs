//! The table, and the verdict.

const RIVALS: [&str; 4] = ["OTP", "eetf", "erltf", "a copy"];

#[derive(Clone, Copy, PartialEq)]
pub enum Direction {
    Encode,
    Decode,
}

/// One term in one direction.
pub struct Row {
    name: &'static str,
    direction: Direction,
    pub allocations: u64,
    ours: Vec<f64>,
    theirs: [Vec<f64>; RIVALS.len()],
}

impl Row {
    pub fn new(name: &'static str, direction: Direction) -> Row {
        Row { name, direction, allocations: 0, ours: Vec::new(), theirs: Default::default() }
    }

    /// Takes the nanoseconds of one round.
    pub fn note(&mut self, ours: f64, theirs: [Option<f64>; RIVALS.len()]) {
        self.ours.push(ours);
        self.theirs.iter_mut().zip(theirs).for_each(|(all, one)| all.extend(one));
    }

    /// What Beamline takes for each nanosecond of a rival.
    fn ratio(&self, rival: usize) -> Option<f64> {
        median(self.ours.iter().zip(&self.theirs[rival]).map(|(ours, theirs)| ours / theirs))
    }

    /// The rivals that have to be slower: all codecs, but OTP where it only has to make cells of lists.
    fn must_beat(&self, rival: usize) -> bool {
        match RIVALS[rival] {
            "a copy" => false,
            "OTP" => !(self.direction == Direction::Decode && self.name.ends_with("nested lists")),
            _ => true,
        }
    }
}

fn median(all: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut all: Vec<f64> = all.into_iter().collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied()
}

fn micros(nanoseconds: Option<f64>) -> String {
    match nanoseconds.map(|nanoseconds| nanoseconds / 1000.0) {
        None => "-".to_owned(),
        Some(micros) if micros < 1.0 => format!("{micros:.3}"),
        Some(micros) if micros < 10.0 => format!("{micros:.2}"),
        Some(micros) => format!("{micros:.1}"),
    }
}

/// Prints the table; whether Beamline is ahead of all that it must be ahead of.
pub fn print(rows: &[Row]) -> bool {
    println!("Microseconds, and in brackets what Beamline takes of a rival's time.\n");
    println!("| term | | Beamline | allocations | {} |", RIVALS.join(" | "));
    println!("| --- | --- | --- | --- | {} |", RIVALS.map(|_| "---").join(" | "));
    let mut behind = Vec::new();
    for row in rows {
        let direction = if row.direction == Direction::Encode { "encode" } else { "decode" };
        let cells: Vec<String> = (0..RIVALS.len())
            .map(|rival| match row.ratio(rival) {
                Some(ratio) => format!("{} ({ratio:.2})", micros(median(row.theirs[rival].iter().copied()))),
                None => "-".to_owned(),
            })
            .collect();
        let ours = micros(median(row.ours.iter().copied()));
        println!("| {} | {direction} | {ours} | {} | {} |", row.name, row.allocations, cells.join(" | "));
        for rival in (0..RIVALS.len()).filter(|rival| row.must_beat(*rival)) {
            if let Some(ratio) = row.ratio(rival).filter(|ratio| *ratio >= 1.0) {
                behind.push(format!("{direction} of {} behind {} ({ratio:.2})", row.name, RIVALS[rival]));
            }
        }
    }
    behind.iter().for_each(|line| println!("\n{line}"));
    behind.is_empty()
}
