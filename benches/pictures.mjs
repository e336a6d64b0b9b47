// Makes the pictures of known sizes and formats out of photographs, where they are not there yet.
// node pictures.mjs <folder of node_modules> <photographs> <folder to fill>
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";

const [npm, photographs, made] = process.argv.slice(2);
const sharp = createRequire(npm + "/")("sharp");
const photograph = (name) => path.join(photographs, "usr/share/backgrounds", name);
const mountain = photograph("picosdeeuropa_by_Aitzol_Berasategi.jpg");
const leaves = photograph("Dragonfly_by_Bolly.jpg");
const bird = photograph("Kleiber_by_Lukas_Baubkus.jpg");
const stream = photograph("life_by_Aitzol_Berasategi.jpg");

// Photographs that were enlarged or denoised have none of the grain that a sensor leaves.
async function grainy(source, width, height) {
  const noise = { type: "gaussian", mean: 128, sigma: 5 };
  const grain = await sharp({ create: { width, height, channels: 3, noise, background: "#808080" } }).png().toBuffer();
  const pixels = sharp(source, { limitInputPixels: false }).resize(width, height, { fit: "cover" }).removeAlpha();
  const { data, info } = await pixels
    .composite([{ input: grain, blend: "overlay" }])
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return sharp(data, { raw: info, limitInputPixels: false });
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
  "2mp.webp": () => plain(stream, 1736, 1156).webp({ quality: 85 }),
  "2mp.avif": () => plain(stream, 1736, 1156).avif({ quality: 65, chromaSubsampling: "4:2:0" }),
  "animated.gif": async () => (await panned(stream, 24, 640, 360)).gif({ delay: Array(24).fill(80), loop: 0 }),
};

for (const [name, recipe] of Object.entries(recipes)) {
  const file = path.join(made, name);
  if (fs.existsSync(file)) continue;
  console.log(`making ${name}`);
  const bytes = await (await recipe()).toBuffer();
  fs.writeFileSync(file + ".part", bytes);
  fs.renameSync(file + ".part", file);
}
