//! The one function that a library exports.

/// Makes a library of plugins, each with the trait that it fills: `export!(DecisionSink: LineFile, Builtin: Domain);`. Once in
/// a crate, whose name and version the library has.
#[macro_export]
macro_rules! export {
    ($($kind:ident: $plugin:ty),+ $(,)?) => {
        /// What is in this library.
        #[allow(unsafe_code, reason = "the agent finds it by this name")]
        #[unsafe(no_mangle)]
        pub extern "C" fn regent_plugin_library() -> *const $crate::abi::Library {
            const PLUGINS: &[*const $crate::abi::Plugin] =
                &[$(::core::ptr::from_ref($crate::table::$kind::<$plugin>::PLUGIN)),+];
            const LIBRARY: &$crate::abi::Library = &$crate::abi::Library {
                magic: $crate::abi::MAGIC,
                abi_major: $crate::abi::ABI_MAJOR,
                abi_minor: $crate::abi::ABI_MINOR,
                reserved: 0,
                size: ::core::mem::size_of::<$crate::abi::Library>(),
                name: $crate::abi::Bytes::of(env!("CARGO_PKG_NAME").as_bytes()),
                version: $crate::abi::Bytes::of(env!("CARGO_PKG_VERSION").as_bytes()),
                plugins: PLUGINS.as_ptr(),
                plugin_count: PLUGINS.len(),
            };
            LIBRARY
        }
    };
}
