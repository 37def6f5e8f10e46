//! The operands of a call, with OPA's complaints about wrong ones.

use super::BuiltinError;
use crate::value::{Number, Object, Set, Value};

/// The operands of one call. Positions count from 0; errors count from 1, as OPA does.
#[derive(Debug, Clone, Copy)]
pub struct Operands<'a>(&'a [Value]);

impl<'a> Operands<'a> {
    /// The operands in order.
    pub fn new(values: &'a [Value]) -> Self {
        Self(values)
    }

    /// All of them.
    pub fn all(self) -> &'a [Value] {
        self.0
    }

    /// The operand, of whatever type.
    ///
    /// # Panics
    /// When there are fewer operands: callers pass as many as were declared.
    pub fn any(self, position: usize) -> &'a Value {
        &self.0[position]
    }

    /// A string.
    ///
    /// # Errors
    /// `operand 1 must be string but got number`
    pub fn string(self, position: usize) -> Result<&'a str, BuiltinError> {
        self.any(position).as_str().ok_or_else(|| self.must_be(position, "string"))
    }

    /// A boolean.
    ///
    /// # Errors
    /// As [`Operands::string`].
    pub fn boolean(self, position: usize) -> Result<bool, BuiltinError> {
        self.any(position).as_bool().ok_or_else(|| self.must_be(position, "boolean"))
    }

    /// A number.
    ///
    /// # Errors
    /// As [`Operands::string`].
    pub fn number(self, position: usize) -> Result<Number, BuiltinError> {
        self.any(position).as_number().ok_or_else(|| self.must_be(position, "number"))
    }

    /// An array.
    ///
    /// # Errors
    /// As [`Operands::string`].
    pub fn array(self, position: usize) -> Result<&'a [Value], BuiltinError> {
        self.any(position).as_array().ok_or_else(|| self.must_be(position, "array"))
    }

    /// An object.
    ///
    /// # Errors
    /// As [`Operands::string`].
    pub fn object(self, position: usize) -> Result<&'a Object, BuiltinError> {
        self.any(position).as_object().ok_or_else(|| self.must_be(position, "object"))
    }

    /// A set.
    ///
    /// # Errors
    /// As [`Operands::string`].
    pub fn set(self, position: usize) -> Result<&'a Set, BuiltinError> {
        self.any(position).as_set().ok_or_else(|| self.must_be(position, "set"))
    }

    /// The error that says what the operand must be: `string`, `one of {array, set}`.
    pub fn must_be(self, position: usize, what: &str) -> BuiltinError {
        BuiltinError::operand(position, format_args!("must be {what} but got {}", self.any(position).type_name()))
    }
}
