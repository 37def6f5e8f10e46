//! What is known of the input of the policy that authorizes requests.

use regent_core::Value;

/// The schema of the input that the policy is given, as OPA has it: all fields count as present, and bodies as objects.
/// For [`regent_core::engine::KnownInput`].
pub fn authorization_schema() -> Value {
    let of_type = |name: &str| Value::object([("type", name)]);
    let array = |items: &str| Value::object([("type", Value::from("array")), ("items", of_type(items))]);
    let fields = [
        ("body", of_type("object")),
        ("client_certificates", array("object")),
        ("headers", of_type("object")),
        ("identity", of_type("string")),
        ("method", of_type("string")),
        ("params", of_type("object")),
        ("path", array("string")),
    ];
    let names: Value = fields.iter().map(|(name, _)| Value::from(*name)).collect();
    Value::object([("type", Value::from("object")), ("properties", Value::object(fields)), ("required", names)])
}
