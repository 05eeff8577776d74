import { useEffect, useMemo, useRef } from 'preact/hooks'
import type { Outlines as Drawn } from '../../../shared/map/types'
import type { Report } from '../kept/report'
import { digits } from '../language/format'
import { text } from '../language/language'

interface Props {
  outlines: Drawn
  point: Report['point']
  change: (change: Partial<Report>) => void
}

const SCALE = 1000
const rounded = (degrees: number) => Math.round(degrees * 1e6) / 1e6

/** The districts as the city draws them, flat. A tap on one is a point in it; the keyboard has the address and the list. */
export function Outlines({ outlines, point, change }: Props) {
  const boardRef = useRef<SVGSVGElement>(null)
  const drawn = useMemo(() => draw(outlines), [outlines])
  useEffect(() => {
    const board = boardRef.current
    const tapped = (event: MouseEvent) => {
      const { district } = (event.target as SVGElement).dataset
      const matrix = board?.getScreenCTM()
      if (!district || !matrix) return
      const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse())
      change({ district: Number(district), point: { latitude: rounded(-y / SCALE), longitude: rounded(x / SCALE / drawn.narrower), metres: 0 } })
    }
    board?.addEventListener('click', tapped)
    return () => board?.removeEventListener('click', tapped)
  }, [change, drawn])
  return (
    <svg ref={boardRef} viewBox={drawn.box.join(' ')} role="img" aria-label={text.report.outlines} fontSize={drawn.box[2] / 20}>
      {drawn.districts.map(({ district, path, x, y }) => (
        <g key={district}>
          <path d={path} data-district={district} fillRule="evenodd" />
          <text x={x} y={y}>{digits(district)}</text>
        </g>
      ))}
      {point ? <circle cx={point.longitude * SCALE * drawn.narrower} cy={-point.latitude * SCALE} r={drawn.box[2] / 60} /> : null}
    </svg>
  )
}

function draw({ features }: Drawn) {
  const all = features.flatMap(({ geometry }) => geometry.coordinates.flat(2))
  const narrower = Math.cos(((all[0]?.[1] ?? 0) * Math.PI) / 180)
  const flat = ([longitude, latitude]: [number, number]): [number, number] => [longitude * SCALE * narrower, -latitude * SCALE]
  const districts = features.map(({ properties: { district }, geometry }) => {
    const rings = geometry.coordinates.flat().map((ring) => ring.map(flat))
    const [left, top, width, height] = boxOf(rings.flat())
    return { district, path: rings.map((ring) => `M${ring.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`).join('L')}Z`).join(''), x: left + width / 2, y: top + height / 2 }
  })
  return { narrower, districts, box: boxOf(all.map(flat)) }
}

function boxOf(points: [number, number][]): [left: number, top: number, width: number, height: number] {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const [x, y] of points) {
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y)
  }
  return [left, top, right - left, bottom - top]
}
