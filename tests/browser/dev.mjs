// `tributary dev` in a directory of its own, on free ports.

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BINARY = process.env.TRIBUTARY_BIN
  ?? fileURLToPath(new URL('../../target/debug/tributary', import.meta.url));
const READY_TIMEOUT_MS = 60_000;
const LISTENERS = ['edge', 'admin', 'ops', 'shop'];

export const pause = ms => new Promise(done => setTimeout(done, ms));

/** Starts it and waits until it is ready; what it wrote of itself, and `stop`. */
export async function startDev() {
  const dir = await mkdtemp(join(tmpdir(), 'tributary-browser-'));
  const flags = LISTENERS.flatMap(name => [`--${name}-listen`, '127.0.0.1:0']);
  const child = spawn(BINARY, ['dev', '--data-dir', dir, ...flags]);
  let output = '';
  child.stdout.on('data', text => { output += text; });
  child.stderr.on('data', text => { output += text; });
  const ended = new Promise(done => child.once('close', done));
  child.once('error', error => { output += error; });

  async function stop() {
    const forced = setTimeout(() => child.kill('SIGKILL'), 15_000);
    if (child.exitCode === null && child.kill('SIGTERM')) await ended;
    clearTimeout(forced);
    await rm(dir, { recursive: true, force: true });
    return child.exitCode;
  }

  const started = Date.now();
  while (Date.now() - started < READY_TIMEOUT_MS && child.exitCode === null) {
    const text = await readFile(join(dir, 'dev.json'), 'utf8').catch(() => '');
    if (text) return { ...JSON.parse(text), output: () => output, stop };
    await pause(50);
  }
  await stop();
  throw new Error(`tributary dev (${BINARY}) did not get ready:\n${output}`);
}

/** Asks the admin API with somebody's key. */
export async function ask(dev, key, path) {
  const answer = await fetch(`${dev.admin_url}/api/v1/${path}`, {
    headers: { authorization: `Bearer ${key}` },
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** Asks again until the answer is good, or the time is over; returns the last answer. */
export async function eventually(question, isGood, withinMs = 2_000) {
  const started = Date.now();
  for (;;) {
    const answer = await question();
    if (isGood(answer) || Date.now() - started > withinMs) return answer;
    await pause(40);
  }
}
