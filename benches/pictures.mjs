// Makes the pictures of known sizes and formats out of photographs, where they are not there yet.
// node pictures.mjs <folder of node_modules> <photographs> <folder to fill> <photographs of the field>…
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";

const [npm, photographs, made, ...field] = process.argv.slice(2);
const sharp = createRequire(npm + "/")("sharp");
const photograph = (name) => path.join(photographs, "usr/share/backgrounds", name);
const mountain = photograph("picosdeeuropa_by_Aitzol_Berasategi.jpg");
const leaves = photograph("Dragonfly_by_Bolly.jpg");
const bird = photograph("Kleiber_by_Lukas_Baubkus.jpg");
const stream = photograph("life_by_Aitzol_Berasategi.jpg");

// Numbers that look random and are the same each time.
function* dice(seed) {
  for (let state = seed; ; ) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    yield (state >>> 0) / 2 ** 32;
  }
}

// Photographs that were enlarged or denoised have none of the grain that a sensor leaves: about
// 3 of 255 in the light, drawn from a table.
async function grainy(source, width, height) {
  const random = dice(1);
  const next = () => random.next().value;
  const grain = Int8Array.from({ length: 1 << 16 }, () => Math.round((next() + next() + next() - 1.5) * 6));
  const pixels = sharp(source, { limitInputPixels: false }).resize(width, height, { fit: "cover" }).removeAlpha();
  const { data } = await pixels.raw().toBuffer({ resolveWithObject: true });
  for (let y = 0, at = 0; y < height; y++) {
    let from = Math.floor(next() * 65536);
    for (let x = 0; x < width; x++, at += 3) {
      const noise = grain[from++ & 65535];
      for (let channel = at; channel < at + 3; channel++) {
        data[channel] = Math.min(255, Math.max(0, data[channel] + noise));
      }
    }
  }
  return sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: false });
}

const plain = (source, width, height) => sharp(source).resize(width, height, { fit: "cover" }).removeAlpha();
// As cameras write them: standard Huffman tables.
const camera = { quality: 90, chromaSubsampling: "4:2:0", progressive: false, optimiseCoding: false };

// A camera moves over the photograph, a few pixels a frame.
async function panned(source, frames, width, height) {
  const step = { x: 8, y: 3 };
  const large = await sharp(source).resize(1200).png().toBuffer();
  const still = (frame) =>
    sharp(large).extract({ left: frame * step.x, top: frame * step.y, width, height }).png().toBuffer();
  const stills = await Promise.all(Array.from({ length: frames }, (_, frame) => still(frame)));
  return sharp(stills, { join: { animated: true } });
}

const recipes = {
  "12mp.jpg": async () => (await grainy(mountain, 4000, 3000)).jpeg(camera),
  "12mp-leaves.jpg": async () => (await grainy(leaves, 4000, 3000)).jpeg(camera),
  "12mp-progressive.jpg": async () => (await grainy(mountain, 4000, 3000)).jpeg({ ...camera, progressive: true }),
  "24mp.jpg": async () => (await grainy(bird, 6000, 4000)).jpeg(camera),
  "4mp.png": () => plain(leaves, 2464, 1640).png(),
  "4mp-filtered.png": () => plain(leaves, 2464, 1640).png({ adaptiveFiltering: true }),
  "2mp.webp": () => plain(stream, 1736, 1156).webp({ quality: 85 }),
  "2mp.avif": () => plain(stream, 1736, 1156).avif({ quality: 65, chromaSubsampling: "4:2:0" }),
  "animated.gif": async () => (await panned(stream, 24, 640, 360)).gif({ delay: Array(24).fill(80), loop: 0 }),
};

// As large as those of the common benchmark, DIV2K.
const two = (source) => sharp(source).resize({ width: 2040 }).removeAlpha();
for (const source of field) {
  const folder = path.dirname(source).includes("/contents/") ? path.join(source, "../../..") : source;
  const name = "field/" + path.parse(folder).name;
  recipes[name + ".jpg"] = () => two(source).jpeg({ quality: 90 });
  recipes[name + ".png"] = () => two(source).png();
  recipes[name + ".webp"] = () => two(source).webp({ quality: 90 });
  recipes[name + ".avif"] = () => two(source).avif({ quality: 70, effort: 2, chromaSubsampling: "4:2:0" });
}

for (const [name, recipe] of Object.entries(recipes)) {
  const file = path.join(made, name);
  if (fs.existsSync(file)) continue;
  console.log(`making ${name}`);
  const bytes = await (await recipe()).toBuffer();
  fs.writeFileSync(file + ".part", bytes);
  fs.renameSync(file + ".part", file);
}
