//! Bindings generated from `wit/`.
#![allow(missing_docs, clippy::unwrap_used)]

wasmtime::component::bindgen!({
    path: "wit",
    world: "tradewind:host-bindings/subscriber",
    exports: { default: async | store },
    with: {
        "spin:redis/redis.connection": redis::aio::MultiplexedConnection,
    },
    require_store_data_send: true,
});
