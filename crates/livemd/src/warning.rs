//! What was odd about a file, as data.

use std::fmt;

/// Something in a file that Livebook would read otherwise than it looks, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The line, from 1.
    pub line: usize,
    /// What is the matter there.
    pub trouble: Trouble,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.trouble)
    }
}

/// What can be the matter with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// A fence has no end, so that all after it is code.
    #[error("the block opened with {marker} is not closed: all below belongs to it")]
    FenceNotClosed {
        /// The fence.
        marker: String,
    },
    /// A backquote in a paragraph has no partner, so that all after it is text.
    #[error("the code opened with {marker} is not closed: all below is text")]
    BackquotesNotClosed {
        /// The run of backquotes.
        marker: String,
    },
    /// A comment has no end.
    #[error("the comment is not closed: all below belongs to it")]
    CommentNotClosed,
    /// An HTML element has no end tag.
    #[error("<{tag}> is not closed: all below belongs to it")]
    ElementNotClosed {
        /// The element.
        tag: String,
    },
    /// There is more than one heading of the first level, so each is a section, and all headings are taken one level down.
    #[error("{count} headings of the first level: every heading is taken as one level lower")]
    ManyNames {
        /// How many there are.
        count: usize,
    },
    /// Text stands above the notebook's name; it is shown below it.
    #[error("the notebook's name is not at the top: what is above it is shown below")]
    NameNotFirst,
    /// A comment stands between the notebook's metadata and its name, where Livebook drops both.
    #[error("a comment between the notebook's metadata and its name: Livebook drops both; put it at the very top")]
    CommentAfterMetadata,
    /// A comment that begins with `livebook:` does not go on as JSON. Livebook cannot open such a file.
    #[error("the comment says livebook: but goes on with {reason}; Livebook cannot open this file")]
    NotJson {
        /// What is wrong with it.
        reason: String,
    },
    /// Metadata that no cell, section or name follows.
    #[error("metadata that belongs to nothing; it is kept in the file and has no effect")]
    Orphan,
    /// A smart cell without kind or attributes.
    #[error("a smart cell without {missing}; its code is taken as a code cell")]
    NotSmart {
        /// The key that is missing or of the wrong type.
        missing: &'static str,
    },
    /// An input cell of an old Livebook.
    #[error("an input cell, as old notebooks had them: it is not shown")]
    Input {
        /// It asked for cells to be run again by themselves.
        reactive: bool,
    },
    /// A section is said to branch from one that does not come before it.
    #[error("section {section:?} is to branch from one that does not come before it: it is taken as an ordinary one")]
    ParentLater {
        /// The section's name.
        section: String,
    },
    /// A section is said to branch from one that is a branch.
    #[error("section {section:?} is to branch from one that is a branch itself: it is taken as an ordinary one")]
    ParentBranches {
        /// The section's name.
        section: String,
    },
    /// Markdown points at `images/`, which Livebook no longer uses.
    #[error("an image in images/: Livebook no longer looks there")]
    OldImages,
    /// An entry in the notebook's list of files that says too little.
    #[error("an entry in file_entries that cannot be read")]
    FileEntry,
}
