// shrink.mjs FROM TO: crop a picture to the content of the page, and write it with few colors.
import sharp from 'sharp';

const [, , from, to] = process.argv;
const margin = 8, { data: corner } = await sharp(from).extract({ left: 0, top: 0, width: 1, height: 1 }).raw().toBuffer({ resolveWithObject: true });
const background = { r: corner[0], g: corner[1], b: corner[2] };
const cut = await sharp(from).trim({ background, threshold: 0 }).toBuffer();
const framed = await sharp(cut).extend({ top: margin, bottom: margin, left: margin, right: margin, background }).toBuffer();
await sharp(framed).png({ palette: true, colours: 96, effort: 10, dither: 0 }).toFile(to);
