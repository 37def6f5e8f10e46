//! Dependencies first, and what depends on itself.

use std::collections::{HashMap, VecDeque};

use super::edges::{Branch, RuleGraph};

/// Groups of vertices that depend on each other, each after all that it depends on.
#[derive(Debug)]
pub(crate) struct Groups {
    groups: Vec<Vec<usize>>,
    /// For each vertex its group.
    of: Vec<usize>,
}

impl RuleGraph {
    /// Tarjan's algorithm, with a stack of its own: paths may be as long as there are rules.
    pub(crate) fn groups(&self) -> Groups {
        let mut search = Search::new(self.edges.len());
        for vertex in 0..self.edges.len() {
            search.run(vertex, &self.edges);
        }
        Groups { groups: search.groups, of: search.group_of }
    }

    /// The branches, each after those that it depends on, where they do not depend on themselves.
    pub(crate) fn branches_in(&self, groups: &Groups) -> Vec<Branch> {
        groups.groups.iter().flatten().filter_map(|&vertex| self.branches.get(vertex)).copied().collect()
    }

    /// The branches that depend on themselves.
    pub(crate) fn recursive<'g>(&'g self, groups: &'g Groups) -> impl Iterator<Item = &'g Branch> {
        // A branch never has an edge to itself, as references are vertices, too.
        groups.groups.iter().filter(|group| group.len() > 1).flatten().filter_map(|&vertex| self.branches.get(vertex))
    }

    /// The shortest way from a branch back to itself, both ends included.
    pub(crate) fn cycle<'g>(&'g self, branch: &'g Branch, groups: &Groups) -> Vec<&'g Branch> {
        let Ok(start) = self.branches.binary_search(branch) else {
            return Vec::new();
        };
        let mut came_from: HashMap<usize, usize> = HashMap::new();
        let mut open = VecDeque::from([start]);
        while let Some(vertex) = open.pop_front() {
            for &next in &self.edges[vertex] {
                if groups.of[next] == groups.of[start] && !came_from.contains_key(&next) {
                    came_from.insert(next, vertex);
                    open.push_back(next);
                }
            }
            if came_from.contains_key(&start) {
                break;
            }
        }
        let mut way = vec![branch];
        let mut vertex = start;
        while let Some(&before) = came_from.get(&vertex) {
            way.extend(self.branches.get(before));
            if before == start {
                break;
            }
            vertex = before;
        }
        way.reverse();
        way
    }
}

const UNSEEN: usize = usize::MAX;

struct Search {
    next: usize,
    /// For each vertex when it was met.
    met: Vec<usize>,
    /// For each vertex the earliest one on the path that it leads back to.
    low: Vec<usize>,
    path: Vec<usize>,
    on_path: Vec<bool>,
    groups: Vec<Vec<usize>>,
    group_of: Vec<usize>,
}

impl Search {
    fn new(vertices: usize) -> Self {
        Self {
            next: 0,
            met: vec![UNSEEN; vertices],
            low: vec![0; vertices],
            path: Vec::new(),
            on_path: vec![false; vertices],
            groups: Vec::new(),
            group_of: vec![UNSEEN; vertices],
        }
    }

    fn run(&mut self, start: usize, edges: &[Vec<usize>]) {
        if self.met[start] != UNSEEN {
            return;
        }
        self.meet(start);
        let mut open = vec![(start, 0)];
        while let Some((vertex, edge)) = open.pop() {
            match edges[vertex].get(edge) {
                Some(&target) => {
                    open.push((vertex, edge + 1));
                    if self.met[target] == UNSEEN {
                        self.meet(target);
                        open.push((target, 0));
                    } else if self.on_path[target] {
                        self.low[vertex] = self.low[vertex].min(self.met[target]);
                    }
                }
                None => self.leave(vertex, open.last().map(|(parent, _)| *parent)),
            }
        }
    }

    fn meet(&mut self, vertex: usize) {
        self.met[vertex] = self.next;
        self.low[vertex] = self.next;
        self.next += 1;
        self.path.push(vertex);
        self.on_path[vertex] = true;
    }

    fn leave(&mut self, vertex: usize, parent: Option<usize>) {
        if let Some(parent) = parent {
            self.low[parent] = self.low[parent].min(self.low[vertex]);
        }
        if self.low[vertex] != self.met[vertex] {
            return;
        }
        let mut group = Vec::new();
        while let Some(member) = self.path.pop() {
            self.on_path[member] = false;
            self.group_of[member] = self.groups.len();
            group.push(member);
            if member == vertex {
                break;
            }
        }
        self.groups.push(group);
    }
}
