import type { Code } from '../../shared/language/locale'
import type { Colours } from './colours'

/** What a label is asked for by: how large, how bold, and its text. */
const NAME = /^label\|(\d+)\|(0|1)\|(.+)$/su
const LONGEST = 60
const HALO = 2
const RIGHT_TO_LEFT = /[\u0590-\u08ff]/u

interface Label {
  width: number
  height: number
  data: Uint8ClampedArray
}

/** A style's expression for the label of a text. */
export const labelled = (size: number, bold: boolean, text: unknown) => ['concat', `label|${size}|${bold ? 1 : 0}|`, text]

/** The name of a feature, in the language of the page if it has one. */
export const nameOf = (language: Code) => ['to-string', ['coalesce', ['get', `name:${language}`], ['get', `name_${language}`], ['get', 'name']]]

/**
 * A label as a picture. The browser itself writes it, in our own letters: it joins Persian letters and knows which way
 * they run, which MapLibre's own letters do only with a second program and letters of its own.
 */
export function label(name: string, colours: Colours, ratio: number): Label | null {
  const [, size, bold, text = ''] = NAME.exec(name) ?? []
  const paper = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  if (!paper || !size) return null
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
  const write = () => {
    paper.font = `${bold === '1' ? 700 : 400} ${Number(size) * ratio}px 'Vazirmatn FD', Tahoma, sans-serif`
    paper.direction = RIGHT_TO_LEFT.test(shown) ? 'rtl' : 'ltr'
    paper.textAlign = 'center'
    paper.textBaseline = 'middle'
  }
  write()
  const width = Math.ceil(paper.measureText(shown).width + 2 * HALO * ratio)
  const height = Math.ceil((Number(size) * 1.8 + 2 * HALO) * ratio)
  Object.assign(paper.canvas, { width, height })
  write() // another size is another paper
  paper.lineJoin = 'round'
  paper.lineWidth = 2 * HALO * ratio
  paper.strokeStyle = colours.land
  paper.fillStyle = colours.ink
  paper.strokeText(shown, width / 2, height / 2)
  paper.fillText(shown, width / 2, height / 2)
  return { width, height, data: paper.getImageData(0, 0, width, height).data }
}
