// Makes plugin.wasm out of plugin.js: a component that imports nothing.
import { readFile, writeFile } from 'node:fs/promises';
import { componentize } from 'componentize-qjs';

const { component } = await componentize({
  jsSource: await readFile('plugin.js', 'utf8'),
  witPath: 'wit',
  world: 'approver',
  sync: true, // the contract has plain functions alone
  stubWasi: true, // no file, clock or network to ask for
});
await writeFile('plugin.wasm', component);
