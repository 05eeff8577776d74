/** Bytes of a picture as it is sent. */
export const LARGEST = 200_000
const SIDES = [1600, 1280, 1024, 800, 640, 480]
const QUALITIES = [0.85, 0.7, 0.5]

/** Another photograph of what a file shows, small enough to be sent, without place or time. Throws if it shows nothing. */
export async function shrunk(file: Blob): Promise<ArrayBuffer> {
  const shown = await createImageBitmap(file, { imageOrientation: 'from-image' })
  try {
    for (const side of SIDES) {
      const canvas = drawn(shown, side)
      for (const quality of QUALITIES) {
        const made = await jpeg(canvas, quality)
        if (made.size <= LARGEST) return await made.arrayBuffer()
      }
    }
  } finally {
    shown.close()
  }
  throw new Error('it cannot be made small enough')
}

function drawn(shown: ImageBitmap, side: number): HTMLCanvasElement {
  const scale = Math.min(1, side / Math.max(shown.width, shown.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(shown.width * scale))
  canvas.height = Math.max(1, Math.round(shown.height * scale))
  const paper = canvas.getContext('2d')
  if (!paper) throw new Error('nothing can be drawn')
  paper.fillStyle = 'white' // a JPEG has nothing that one sees through
  paper.fillRect(0, 0, canvas.width, canvas.height)
  paper.drawImage(shown, 0, 0, canvas.width, canvas.height)
  return canvas
}

const jpeg = (canvas: HTMLCanvasElement, quality: number): Promise<Blob> =>
  new Promise((made, failed) => {
    canvas.toBlob((blob) => (blob ? made(blob) : failed(new Error('no picture'))), 'image/jpeg', quality)
  })
