// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What node-llama-cpp, a package of npm, makes of a model: a request comes on the standard input, the answer is the
// last line of the output, both JSON.  Called by peers.py.
//
//   {"what": "find", "folders": [where to look for it]}       {"package": its module, "version"}
//   {"what": "speed", "package", "file", "threads",
//    "prompt": a text, "tokens": how many to generate}        {"prompt": its tokens, "prefill", "decode": tokens/s}
//   {"what": "continuation", the same}                        {"text"}
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const PACKAGE = 'node-llama-cpp';
const SPARE_POSITIONS = 16;

function resolve(folders) {
  for (const folder of folders) {
    try {
      return createRequire(path.join(folder, 'here.js')).resolve(PACKAGE);
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND')
        throw error;
    }
  }
  throw new Error(`node finds no ${PACKAGE} in ${folders.join(', ')}`);
}

function versionOf(module) {
  for (let folder = path.dirname(module); folder !== path.dirname(folder); folder = path.dirname(folder)) {
    try {
      const { name, version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
      if (name === PACKAGE)
        return version;
    } catch {
      // further up
    }
  }
  return '';
}

// Only what is there already: nothing is built, nothing fetched.
async function engine(module) {
  const { getLlama } = await import(pathToFileURL(module));
  const logger = (_level, message) => process.stderr.write(`${message}\n`);
  return await getLlama({ gpu: false, build: 'never', skipDownload: true, maxThreads: 0, logLevel: 'error', logger });
}

async function open(llama, request) {
  const model = await llama.loadModel({ modelPath: request.file, gpuLayers: 0 });
  const tokens = model.tokenize(request.prompt);
  if (model.tokens.shouldPrependBosToken && model.tokens.bos !== tokens[0])
    tokens.unshift(model.tokens.bos);
  const contextSize = tokens.length + request.tokens + SPARE_POSITIONS;
  const context = await model.createContext({ contextSize, threads: request.threads });
  return { model, tokens, sequence: context.getSequence() };
}

// Takes the likeliest token each time; times are milliseconds since the prompt was handed over.
async function generate(sequence, prompt, nTokens, goOn) {
  const generated = [];
  const times = [];
  const begin = performance.now();
  for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: goOn })) {
    times.push(performance.now() - begin);
    generated.push(token);
    if (generated.length === nTokens)
      break;
  }
  return { generated, times };
}

const ANSWERS = {
  async find(request) {
    const module = resolve(request.folders);
    const llama = await engine(module);
    await llama.dispose();
    return { package: module, version: versionOf(module) };
  },

  async speed(request) {
    const { tokens, sequence } = await open(await engine(request.package), request);
    await generate(sequence, tokens, 2, true); // the first one reads the file
    await sequence.clearHistory();
    const { times } = await generate(sequence, tokens, request.tokens, true);
    const decode = ((times.length - 1) * 1000) / (times.at(-1) - times[0]);
    return { prompt: tokens.length, prefill: (tokens.length * 1000) / times[0], decode };
  },

  async continuation(request) {
    const { model, tokens, sequence } = await open(await engine(request.package), request);
    const { generated } = await generate(sequence, tokens, request.tokens, false);
    return { text: model.detokenize(generated, false, tokens) };
  },
};

try {
  const request = JSON.parse(readFileSync(0, 'utf8'));
  const answer = await ANSWERS[request.what](request);
  process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(0));
} catch (error) {
  process.stderr.write(`${error.message}\n`, () => process.exit(1));
}
