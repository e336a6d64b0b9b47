// Answers one line of JSON with another: decodes for the judges, renders as a rival.
import fs from "node:fs";
import readline from "node:readline";
import { createRequire } from "node:module";

const sharp = createRequire(process.argv[2] + "/")("sharp");
sharp.concurrency(1);
sharp.cache(false);

const everything = { animated: true, limitInputPixels: false };

async function decode({ source, out }) {
  const pixels = sharp(source, everything).toColourspace("srgb").flatten({ background: "#fff" });
  const { data, info } = await pixels.raw().toBuffer({ resolveWithObject: true });
  fs.writeFileSync(out, data);
  return { width: info.width, height: info.pageHeight ?? info.height };
}

function pipeline(bytes, { width, height, format, quality, effort, animated }) {
  const options = {};
  if (format !== "png") options.quality = quality;
  if (effort !== undefined && effort !== null) options.effort = effort;
  return sharp(bytes, { animated: animated === true, limitInputPixels: false })
    .resize({ width: width ?? undefined, height: height ?? undefined, fit: "inside", withoutEnlargement: true })
    .toFormat(format, options)
    .toBuffer();
}

async function render(ask) {
  const bytes = fs.readFileSync(ask.source);
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  let last;
  for (let round = 0; round < ask.times; round++) {
    const together = [];
    for (let job = 0; job < ask.parallel; job++) together.push(pipeline(bytes, ask));
    last = (await Promise.all(together))[0];
  }
  const wall = Number(process.hrtime.bigint() - start) / 1e6;
  const used = process.cpuUsage(cpu);
  const pictures = ask.times * ask.parallel;
  if (ask.out) fs.writeFileSync(ask.out, last);
  return { cpu_ms: (used.user + used.system) / 1e3 / pictures, wall_ms: wall / pictures };
}

async function version() {
  return { sharp: sharp.versions.sharp, vips: sharp.versions.vips, node: process.version };
}

const verbs = { decode, render, version };
for await (const line of readline.createInterface({ input: process.stdin })) {
  const ask = JSON.parse(line);
  let answer;
  try {
    answer = await verbs[ask.do](ask);
  } catch (error) {
    answer = { error: error.message };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
