//! What the processes of cells ask (`IO.gets`), and the answers of those who look on.

use std::sync::{Arc, Weak};

use tokio::sync::oneshot;

use super::{Engine, Shared};
use crate::notebook::run::outline::CellId;
use crate::notebook::run::output::whole;
use crate::notebook::run::state::Question;

/// So many bytes of a prompt are shown.
const PROMPT: usize = 2000;

/// A question, and who waits for its answer.
pub(super) struct Asked {
    pub(super) question: Question,
    tell: oneshot::Sender<Option<String>>,
}

/// Takes its question back when it is dropped.
struct Open {
    shared: Weak<Shared>,
    cell: CellId,
    number: u64,
}

impl Drop for Open {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else { return };
        let mut state = shared.lock();
        let Some(held) = state.cells.get_mut(&self.cell) else { return };
        let before = held.asked.len();
        held.asked.retain(|asked| asked.question.number != self.number);
        if held.asked.len() < before {
            state.touch(self.cell);
            shared.tell(state);
        }
    }
}

/// Asks those who look on; to drop the future takes the question back. None if there is no more, or no cell.
pub(super) async fn ask(shared: Weak<Shared>, cell: CellId, prompt: String) -> Option<String> {
    let (tell, told) = oneshot::channel();
    let _open = {
        let shared = shared.upgrade()?;
        let mut state = shared.lock();
        let number = state.next();
        let question = Question { number, prompt: whole(&prompt, PROMPT).to_owned() };
        state.cells.get_mut(&cell)?.asked.push(Asked { question, tell });
        state.touch(cell);
        shared.tell(state);
        Open { shared: Arc::downgrade(&shared), cell, number }
    };
    drop(shared);
    told.await.ok().flatten()
}

impl Engine {
    /// Answers a question of a cell with a line, or with the end of input; false if nobody waits for that any more. The
    /// prompt and the line stand in the cell's output then, as they would in a terminal.
    pub(crate) fn answer(&self, cell: CellId, number: u64, line: Option<&str>) -> bool {
        let mut state = self.shared.lock();
        let Some(held) = state.cells.get_mut(&cell) else { return false };
        let Some(at) = held.asked.iter().position(|asked| asked.question.number == number) else { return false };
        let Asked { question, tell } = held.asked.remove(at);
        state.print(cell, &format!("{}{}\n", question.prompt, line.unwrap_or("^D")));
        state.touch(cell);
        self.shared.tell(state);
        tell.send(line.map(|line| format!("{line}\n"))).is_ok()
    }
}
