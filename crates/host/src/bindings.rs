//! Bindings generated from WIT: Spin's packages from `wit/` here, the lean entry from the project's.
#![allow(missing_docs, clippy::unwrap_used)]

wasmtime::component::bindgen!({
    path: "wit",
    world: "tradewind:host-bindings/subscriber",
    exports: { default: async | store },
    with: {
        "spin:redis/redis.connection": crate::redis_imports::Link,
    },
    require_store_data_send: true,
});

/// The lean entry.
pub mod lean {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "tradewind:app/lean-entry",
        exports: { default: async | store },
        require_store_data_send: true,
    });
}
