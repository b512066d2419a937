// Nothing is ordered from embargoed countries, and a country that nobody entered is looked at by
// somebody before anything is ordered from it.

// ISO 3166-1 alpha-2. These are yours to change.
const EMBARGOED = new Map([
  ['CU', 'Cuba'],
  ['IR', 'Iran'],
  ['KP', 'North Korea'],
  ['SY', 'Syria'],
]);

function judge(order) {
  const country = order.country?.trim().toUpperCase();
  if (!country) {
    return needs(['admin'], `supplier ${order.supplier} has no country, so no embargo is ruled out`);
  }
  const embargoed =
    EMBARGOED.get(country) ??
    [...EMBARGOED.values()].find((name) => name.toUpperCase() === country);
  if (embargoed) {
    return refuse('country-embargoed', `supplier ${order.supplier} is in ${embargoed}`);
  }
  return { tag: 'no-opinion' };
}

const needs = (roles, because) => ({ tag: 'require', val: { roles, because } });
const refuse = (code, because) => ({ tag: 'refuse', val: { code, because } });

export const approval = { judge };
