// The main job, as a program of a brand's own would do it: a supplier confirms a late delivery, and
// one cascade says what that changes and what can be done (tests/scenarios/main_job.md).

import { strictEqual as same, deepStrictEqual as alike } from "node:assert";
import { as, done, once, today, whole } from "./tradewind.js";

const [buyer, approver, warehouse] = [as("buyer"), as("approver"), as("warehouse")];
const [planner, channel, viewer] = [as("planner"), as("channel"), as("viewer")];
const admin = as("admin");

const usd = (amount: string) => ({ amount, currency: "USD" });

/** Raises an order, takes it through approval, and records that the supplier confirms its day. */
async function order(supplier: string, sku: string, quantity: number, price: string, due: string) {
  const body = {
    supplier,
    currency: "USD",
    lines: [{ sku, node: "OWN", quantity, price, due }],
  };
  const path = "/procurement/v1/orders";
  const draft = await done(buyer.procurement.POST(path, { params: once(), body }));
  same(draft.status, "draft");
  const params = () => ({ ...once(), path: { order: draft.id } });
  const step = { body: {} };
  await done(buyer.procurement.POST(`${path}/{order}/submit`, { params: params(), ...step }));
  await done(approver.procurement.POST(`${path}/{order}/approve`, { params: params(), ...step }));
  await done(buyer.procurement.POST(`${path}/{order}/release`, { params: params(), ...step }));
  await confirm(draft.id, due);
  return draft.id;
}

/** The supplier confirms a day; the answer is the id of what follows from it. */
async function confirm(id: string, day: string, reason?: string): Promise<string> {
  const lines = [{ line: 1, day }];
  const confirmed = await whole(
    buyer.procurement.POST("/procurement/v1/orders/{order}/confirmations", {
      params: { ...once(), path: { order: id } },
      body: reason === undefined ? { lines } : { lines, reason },
    }),
  );
  same(confirmed.body.status, "confirmed");
  return confirmed.cascade;
}

async function receive(id: string, accepted: number, rejected: number): Promise<void> {
  await done(
    warehouse.procurement.POST("/procurement/v1/orders/{order}/receipts", {
      params: { ...once(), path: { order: id } },
      body: { lines: [{ line: 1, accepted, rejected }], node: "OWN" },
    }),
  );
}

/** A customer's order of X. */
async function sell(
  id: string,
  through: string,
  at: string,
  quantity: number,
  wanted: string,
  price: string,
): Promise<void> {
  await done(
    channel.inventory.PUT("/inventory/v1/orders/{order}", {
      params: { path: { order: id } },
      body: {
        channel: through,
        ordered_at: at,
        lines: [{ sku: "X", quantity, wanted, price: usd(price) }],
      },
    }),
  );
}

async function masterData(): Promise<void> {
  for (const [supplier, name, kind] of [
    ["S1", "Shenzhen Textile", "overseas"],
    ["S2", "Hudson Backup", "domestic"],
    ["S3", "Porto Mills", "overseas"],
  ] as const) {
    const path = { supplier };
    await done(
      buyer.suppliers.PUT("/suppliers/v1/suppliers/{supplier}", {
        params: { path },
        body: { name, class: kind, currency: "USD", terms_days: 30 },
      }),
    );
    await done(
      approver.suppliers.POST("/suppliers/v1/suppliers/{supplier}/approve", {
        params: { ...once(), path },
        body: { reason: "audited" },
      }),
    );
  }
  for (const [sku, body] of [
    ["X", { name: "Travel towel", base_unit: "each", list_prices: { amazon: usd("20.00") } }],
    ["Y", { name: "Beach towel", base_unit: "each" }],
  ] as const) {
    const params = { path: { sku } };
    await done(warehouse.inventory.PUT("/inventory/v1/items/{sku}", { params, body }));
  }
  for (const [node, kind] of [["OWN", "warehouse"], ["FBA", "3pl"]] as const) {
    const params = { path: { node } };
    await done(warehouse.inventory.PUT("/inventory/v1/nodes/{node}", { params, body: { kind } }));
  }
  for (const [id, kind, priority, nodes, lag_days, fee] of [
    ["wholesale", "wholesale", 1, ["OWN"], 30, "0"],
    ["amazon", "marketplace", 2, ["FBA", "OWN"], 14, "0.15"],
    ["web", "dtc", 3, ["OWN"], 2, "0.03"],
  ] as const) {
    await done(
      planner.inventory.PUT("/inventory/v1/channels/{channel}", {
        params: { path: { channel: id } },
        body: { kind, priority, nodes: [...nodes], payout: { lag_days, fee } },
      }),
    );
  }
  const offer = "/suppliers/v1/offers/{supplier}/{sku}";
  await done(
    buyer.suppliers.PUT(offer, {
      params: { path: { supplier: "S1", sku: "X" } },
      body: {
        price: usd("7.50"),
        lead_time_days: 45,
        expedite: { days: 14, cost_per_unit: usd("1.80") },
      },
    }),
  );
  await done(
    buyer.suppliers.PUT(offer, {
      params: { path: { supplier: "S2", sku: "X" } },
      body: { price: usd("9.20"), lead_time_days: 5, minimum: 50, multiple: 10 },
    }),
  );
}

/** Three orders of Y: two complete and on time, the third with six rejects, replaced late. */
async function record(): Promise<void> {
  const first = await order("S1", "Y", 100, "7.50", "2026-09-10");
  const second = await order("S1", "Y", 100, "7.50", "2026-09-20");
  const third = await order("S1", "Y", 100, "7.50", "2026-10-01");
  await today("2026-09-10T10:00:00Z");
  await receive(first, 100, 0);
  await today("2026-09-20T10:00:00Z");
  await receive(second, 100, 0);
  await today("2026-10-01T10:00:00Z");
  await receive(third, 94, 6);
  await today("2026-10-08T10:00:00Z");
  await receive(third, 6, 0);
}

/** Stock, a claim, two orders on their way, a protected promotion, five customers. */
async function before(): Promise<string> {
  await today("2026-12-01T09:00:00Z");
  for (const [node, quantity] of [["FBA", 40], ["OWN", 50]] as const) {
    const to = { node, status: "sellable" } as const;
    const body = { sku: "X", quantity, from: "supplier", to, reason: "opening stock" } as const;
    await done(warehouse.inventory.POST("/inventory/v1/movements", { params: once(), body }));
  }
  await sell("W1", "web", "2026-12-01T08:01:00Z", 10, "2026-12-01", "24.00");
  const reserved = await done(
    channel.inventory.POST("/inventory/v1/reservations", {
      params: once(),
      body: { order: "W1", channel: "web", lines: [{ sku: "X", quantity: 10 }] },
    }),
  );
  alike(reserved.lines[0]?.allocations, [{ node: "OWN", quantity: 10 }]);
  const late = await order("S1", "X", 200, "7.50", "2026-12-15");
  await order("S3", "X", 80, "8.00", "2027-01-12");
  await done(
    planner.inventory.PUT("/inventory/v1/protections/{id}", {
      params: { path: { id: "P-AMZ" } },
      body: {
        sku: "X",
        channel: "amazon",
        quantity: 50,
        from: "2026-12-16",
        until: "2026-12-31",
        reason: "holiday promotion",
        owner: "planner",
      },
    }),
  );
  await done(
    planner.planning.PUT("/planning/v1/promotions/{id}", {
      params: { path: { id: "PROMO" } },
      body: {
        name: "Holiday promotion",
        sku: "X",
        channel: "amazon",
        from: "2026-12-16",
        until: "2026-12-20",
        expected_units: 60,
      },
    }),
  );
  await sell("O1", "wholesale", "2026-12-01T08:01:00Z", 90, "2026-12-18", "12.00");
  await sell("O2", "wholesale", "2026-12-01T08:02:00Z", 30, "2027-01-15", "12.00");
  await sell("O3", "amazon", "2026-12-01T08:03:00Z", 25, "2026-12-03", "20.00");
  await sell("O4", "web", "2026-12-01T08:04:00Z", 30, "2026-12-02", "24.00");
  await sell("O5", "web", "2026-12-01T08:05:00Z", 40, "2026-12-16", "24.00");
  return late;
}

/** The cascade of a change, once every domain has done its part. */
async function cascade(correlation_id: string) {
  for (;;) {
    const found = await viewer.reporting.GET("/reporting/v1/cascades/{correlation_id}", {
      params: { path: { correlation_id } },
    });
    if (found.data?.complete === true) return found.data;
    // Until the first reaction is recorded there is nothing under this id.
    if (found.error !== undefined && found.response.status !== 404) {
      throw new Error(`the cascade: ${JSON.stringify(found.error)}`);
    }
    await new Promise((resume) => setTimeout(resume, 50));
  }
}

async function promised(): Promise<(string | null | undefined)[]> {
  const days = [];
  for (const id of ["O1", "O2", "O3", "O4", "O5"]) {
    const params = { path: { order: id } };
    const found = await done(viewer.inventory.GET("/inventory/v1/orders/{order}", { params }));
    days.push(found.lines[0]?.promised);
  }
  return days;
}

async function available(): Promise<number[]> {
  const units = [];
  for (const id of ["wholesale", "amazon", "web"]) {
    const params = { query: { sku: ["X"], channel: id } };
    const found = await done(viewer.inventory.GET("/inventory/v1/availability", { params }));
    // One item was asked for; of several the answer is a list.
    const items = "items" in found ? found.items : [found];
    units.push(...items.map((item) => item.available));
  }
  return units;
}

async function score(): Promise<string | null | undefined> {
  const params = { path: { supplier: "S1" } };
  const path = "/suppliers/v1/suppliers/{supplier}/scorecard";
  return (await done(viewer.suppliers.GET(path, { params }))).score;
}

const ON_TIME = ["2026-12-18", "2027-01-15", "2026-12-03", "2026-12-02", "2026-12-16"];

await today("2026-08-25T09:00:00Z");
await masterData();
await record();
const late = await before();
alike(await promised(), ON_TIME);
alike(await available(), [40, 80, 40]);
same(await score(), "83.1");

const effects = await cascade(await confirm(late, "2026-12-29", "port congestion"));
same(effects.cause.subject, late);
alike(effects.parked, []);
alike(
  effects.promises.map((moved) => [moved.order, moved.old_day, moved.new_day, moved.revenue]),
  [
    ["O1", "2026-12-18", "2026-12-29", usd("1080.00")],
    ["O5", "2026-12-16", "2026-12-29", usd("960.00")],
    ["O4", "2026-12-02", "2026-12-29", usd("720.00")],
  ],
);
alike(
  effects.allocations.map((one) => [one.channel, one.available_before, one.available_after]),
  [["amazon", 80, 30], ["web", 40, 30], ["wholesale", 40, 30]],
);
alike(
  effects.promotions.map((one) => [one.promotion, one.units_short, one.first_day]),
  [["PROMO", 5, "2026-12-20"]],
);
alike(
  effects.cash?.weeks.map((week) => [week.week, week.change]),
  [
    ["2026-11-30", "-698.40"],
    ["2026-12-14", "-931.20"],
    ["2026-12-28", "1629.60"],
    ["2027-01-11", "420.00"],
    ["2027-01-25", "-420.00"],
  ],
);
alike([effects.supplier?.score_before, effects.supplier?.score_after], ["83.1", "78.1"]);
alike(
  effects.options.map((option) => [option.kind, option.feasible, option.net]),
  [
    ["alternate-supplier", true, usd("2571.00")],
    ["expedite", true, usd("2500.00")],
    ["re-allocate", true, usd("120.00")],
    ["postpone-promotion", true, usd("100.00")],
    ["transfer", false, usd("0.00")],
  ],
);
alike(
  await promised(),
  ["2026-12-29", "2027-01-15", "2026-12-03", "2026-12-29", "2026-12-29"],
);
alike(await available(), [30, 30, 30]);
same(await score(), "78.1");

const undone = await cascade(await confirm(late, "2026-12-15", "vessel made up time"));
alike(undone.options, []);
alike(await promised(), ON_TIME);
alike(await available(), [40, 80, 40]);
same(await score(), "83.1");
alike((await done(admin.inventory.GET("/inventory/v1/verify"))).differences, []);
same((await done(admin.reporting.GET("/reporting/v1/audit/verify"))).valid, true);

// Events are told apart by their type, and with it the form of their data is known.
const told = await done(admin.procurement.GET("/procurement/v1/events", {
  params: { query: { limit: 500 } },
}));
const moved = told.items.flatMap((event) =>
  event.type === "procurement.order-confirmed" && event.data.order === late
    ? event.data.changes.flatMap((change) => change.after.map((part) => part.day))
    : []
);
alike(moved.slice(-2), ["2026-12-29", "2026-12-15"]);

// A refusal is typed too: every fault at once, each with a code and a pointer.
const refused = await buyer.procurement.POST("/procurement/v1/orders", {
  params: once(),
  body: { supplier: "S1", currency: "USD", lines: [] },
});
same(refused.response.status, 422);
same(typeof refused.error?.code, "string");
