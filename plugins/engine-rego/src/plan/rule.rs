//! Rules.

use super::expr::{Planner, spans};
use super::layout::{Part, is_multi, tail};
use super::scope::{Occurrences, Scope};
use super::slots::Slots as _;
use super::unify::Goal;
use super::{Block, Layout, Op, Operand, Pattern, SetInfo, SetKind};
use crate::compile::{Compiled, RuleId};
use crate::index::RuleIndex;
use crate::syntax::ast::{Rule, Span, Term};
use crate::syntax::visit::Visit as _;
use regent_builtins::Builtins;

/// All rules that make one document or function.
#[derive(Debug)]
pub(crate) enum RuleSet {
    /// They make one value, for each list of operands if they are a function.
    Single(SingleRules),
    /// They make the parts of a set or object.
    Partial(PartialRules),
}

/// Rules of which all that hold must give the same value.
#[derive(Debug)]
pub(crate) struct SingleRules {
    /// Each rule: itself and its `else` branches.
    pub(crate) rules: Vec<Vec<Branch>>,
    /// Which of them can hold. The `default` rule, which is not among these, holds if none of them does.
    pub(crate) index: RuleIndex,
}

/// One way to get the value of a rule.
#[derive(Debug)]
pub(crate) struct Branch {
    /// Slots of its frame. The first ones are the operands.
    pub(crate) slots: usize,
    /// What has to hold.
    pub(crate) block: Block,
    /// The value.
    pub(crate) value: Operand,
    /// Where it stands.
    pub(crate) span: Span,
}

/// Rules that make the parts of a set or object.
#[derive(Debug)]
pub(crate) struct PartialRules {
    /// Whether it is a set.
    pub(crate) is_set: bool,
    /// The rules.
    pub(crate) rules: Vec<PartialRule>,
    /// Which of them can hold.
    pub(crate) index: RuleIndex,
}

/// A rule that makes parts of a set or object.
#[derive(Debug)]
pub(crate) struct PartialRule {
    /// One plan for each number of keys that are known beforehand, from none on.
    pub(crate) variants: Vec<Variant>,
}

/// The plan of a partial rule of which some keys are known. They are the first slots of the frame.
#[derive(Debug)]
pub(crate) struct Variant {
    /// Slots of its frame.
    pub(crate) slots: usize,
    /// What has to hold.
    pub(crate) block: Block,
    /// The keys from the rule set's document down to the part.
    pub(crate) path: Vec<Operand>,
    /// The part.
    pub(crate) leaf: Leaf,
    /// Where the rule's head stands.
    pub(crate) span: Span,
}

/// What a partial rule makes.
#[derive(Debug)]
pub(crate) enum Leaf {
    /// A value.
    Value(Operand),
    /// A member of a set.
    Member(Operand),
}

/// Plans the rules of a set.
pub(super) fn plan_set(
    info: &SetInfo,
    compiled: &Compiled,
    layout: &Layout,
    builtins: &Builtins,
    optimised: bool,
) -> RuleSet {
    let planner = |rule: &Rule| Planner::new(layout, builtins, scope(rule), optimised);
    let index = index(info, compiled);
    match info.kind {
        SetKind::Complete | SetKind::Function(_) => {
            let rule = |id: &RuleId| {
                let first = compiled.rule(*id);
                branches(first).map(|rule| branch(planner(first), rule, first)).collect()
            };
            RuleSet::Single(SingleRules { rules: info.rules.iter().map(rule).collect(), index })
        }
        SetKind::Set | SetKind::Object => {
            let rule = |id: &RuleId| {
                let parts: Vec<_> = tail(compiled, *id, info.path.len()).collect();
                let rule = compiled.rule(*id);
                let depth = parts.len() + usize::from(is_multi(rule));
                PartialRule { variants: (0..=depth).map(|known| variant(planner(rule), rule, &parts, known)).collect() }
            };
            let rules = info.rules.iter().map(rule).collect();
            RuleSet::Partial(PartialRules { is_set: info.kind == SetKind::Set, rules, index })
        }
    }
}

fn scope(rule: &Rule) -> Scope {
    let mut occurrences = Occurrences::default();
    occurrences.rule(rule);
    Scope::new(occurrences.unread(|_| false))
}

fn index(info: &SetInfo, compiled: &Compiled) -> RuleIndex {
    let rules: Vec<&Rule> = info.rules.iter().map(|id| compiled.rule(*id)).collect();
    let is_virtual = |reference: &[Term]| compiled.rules.is_virtual(reference[1..].iter().map_while(Term::as_text));
    RuleIndex::build(&rules, &is_virtual).expect("a rule set has rules")
}

/// The rule and its `else` branches.
fn branches(rule: &Rule) -> impl Iterator<Item = &Rule> {
    std::iter::successors(Some(rule), |rule| rule.else_branch.as_deref())
}

/// One branch of the rule that `first` begins, which has the parameters if the branch has none.
fn branch(mut planner: Planner<'_>, rule: &Rule, first: &Rule) -> Branch {
    let args = rule.head.args.as_deref().or(first.head.args.as_deref()).unwrap_or_default();
    let slots: Vec<_> = args.iter().map(|_| planner.temporary()).collect();
    let (mut block, value) = planner.block(spans(&rule.body), |planner| {
        for (arg, slot) in args.iter().zip(slots) {
            planner.matching(Operand::Slot(slot), arg);
        }
        planner.body(&rule.body);
        rule.head.value.as_ref().map_or(Operand::Const(true.into()), |value| planner.operand(value))
    });
    let slots = planner.finish(&mut block, |read| value.reads(read));
    Branch { slots, block, value, span: rule.span.clone() }
}

fn variant(mut planner: Planner<'_>, rule: &Rule, parts: &[Part<'_>], known: usize) -> Variant {
    let slots: Vec<_> = (0..known).map(|_| planner.temporary()).collect();
    let member = rule.head.key.as_ref().filter(|_| is_multi(rule));
    let (mut block, (path, leaf)) = planner.block(spans(&rule.body), |planner| {
        for (part, slot) in parts.iter().copied().chain(member.map(Part::Term)).zip(slots) {
            planner.known_part(part, slot);
        }
        planner.body(&rule.body);
        let path: Vec<_> = parts.iter().map(|part| planner.part(*part)).collect();
        let leaf = match (member, &rule.head.value) {
            (Some(member), _) => Leaf::Member(planner.operand(member)),
            (None, Some(value)) => Leaf::Value(planner.operand(value)),
            (None, None) => Leaf::Value(Operand::Const(true.into())),
        };
        (path, leaf)
    });
    let (Leaf::Value(made) | Leaf::Member(made)) = &leaf;
    let slots = planner.finish(&mut block, |read| path.iter().chain([made]).for_each(|operand| operand.reads(read)));
    Variant { slots, block, path, leaf, span: rule.head.span.clone() }
}

impl Planner<'_> {
    /// Adds a step that matches a value with a term.
    fn matching(&mut self, value: Operand, term: &Term) {
        let into = self.goal(Goal::Term(term));
        if !matches!(into, Pattern::Any) {
            self.push(Op::Match { value, into });
        }
    }

    fn known_part(&mut self, part: Part<'_>, slot: usize) {
        match part {
            Part::Name(name) => {
                let into = Pattern::Equal(Operand::Const(name.into()));
                self.push(Op::Match { value: Operand::Slot(slot), into });
            }
            // A term that is not there yet may come from the body.
            Part::Term(term) => self.matching(Operand::Slot(slot), term),
        }
    }

    fn part(&mut self, part: Part<'_>) -> Operand {
        match part {
            Part::Name(name) => Operand::Const(name.into()),
            Part::Term(term) => self.operand(term),
        }
    }
}
