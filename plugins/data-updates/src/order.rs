//! Whose turn it is: entries of related paths go one after the other, all others at once.

use regent_core::value::Path;
use tokio::sync::watch;

/// Those that have not had their turn, in the order in which they came.
#[derive(Default)]
pub(crate) struct Order {
    open: Vec<(Path, watch::Receiver<()>)>,
}

/// A place in the order. It is over when this is dropped.
pub(crate) struct Turn {
    before: Vec<watch::Receiver<()>>,
    _mine: watch::Sender<()>,
}

impl Order {
    /// A place behind all that write to the same path, above it or below it.
    pub(crate) fn enter(&mut self, path: &Path) -> Turn {
        self.open.retain(|(_, open)| open.has_changed().is_ok());
        let related = |other: &Path| path.is_within(other) || other.is_within(path);
        let before = self.open.iter().filter(|(other, _)| related(other)).map(|(_, open)| open.clone()).collect();
        let (mine, over) = watch::channel(());
        self.open.push((path.clone(), over));
        Turn { before, _mine: mine }
    }
}

impl Turn {
    /// Waits for those before.
    pub(crate) async fn comes(&mut self) {
        for before in &mut self.before {
            // Nothing is ever sent; the error says that it is over.
            while before.changed().await.is_ok() {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn is_next(turn: &mut Turn) -> bool {
        tokio::time::timeout(Duration::from_millis(1), turn.comes()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn related_paths_wait_for_each_other() {
        let mut order = Order::default();
        let mut enter = |path: &str| order.enter(&Path::from_slashes(path));
        let mut first = enter("a");
        let (mut below, mut beside, mut other) = (enter("a/b"), enter("ab"), enter("x/y"));
        assert!(is_next(&mut first).await && is_next(&mut beside).await && is_next(&mut other).await);
        assert!(!is_next(&mut below).await);
        drop(first);
        assert!(is_next(&mut below).await);
        let mut root = enter("");
        drop((below, beside));
        assert!(!is_next(&mut root).await);
        drop(other);
        assert!(is_next(&mut root).await);
        let mut last = enter("a");
        assert!(!is_next(&mut last).await);
        drop(root);
        assert!(is_next(&mut last).await);
    }
}
