import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type KeyboardEvent, type PointerEvent, useState } from 'react'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { type Area, HIDDEN_PICTURES, hiddenPicture, type RequestDetail, requestPictureUrl } from './queries'
import style from './requests.module.css'

type Picture = RequestDetail['pictures'][number]
type Point = [number, number]

const STEP = 16
const ARROWS: Record<string, Point> = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }

const clamp = (value: number, least: number, most: number) => Math.round(Math.min(Math.max(value, least), most))

const between = (picture: Picture, [x1, y1]: Point, [x2, y2]: Point): Area => {
  const left = clamp(Math.min(x1, x2), 0, picture.width - 1)
  const top = clamp(Math.min(y1, y2), 0, picture.height - 1)
  return { left, top, width: clamp(Math.abs(x2 - x1), 1, picture.width - left), height: clamp(Math.abs(y2 - y1), 1, picture.height - top) }
}

/** Arrows move an area; with Shift they change its size. */
function pushed(picture: Picture, area: Area, [dx, dy]: Point, resize: boolean): Area {
  if (resize) {
    return {
      ...area,
      width: clamp(area.width + dx, Math.min(STEP, picture.width - area.left), picture.width - area.left),
      height: clamp(area.height + dy, Math.min(STEP, picture.height - area.top), picture.height - area.top),
    }
  }
  return { ...area, left: clamp(area.left + dx, 0, picture.width - area.width), top: clamp(area.top + dy, 0, picture.height - area.height) }
}

interface Props {
  request: number
  picture: Picture
  areas: readonly Area[]
  onChange: (areas: Area[]) => void
}

/** Areas drawn over faces and plates: by mouse, by finger, or by keys. Beside it what everybody will see, as the server makes it. */
export function HideAreas({ request, picture, areas, onChange }: Props) {
  const { text, format } = useLanguage()
  const words = text.release
  const [drawn, setDrawn] = useState<{ from: Point; to: Point }>()
  const at = (event: PointerEvent<SVGSVGElement>): Point => {
    const box = event.currentTarget.getBoundingClientRect()
    return [((event.clientX - box.left) / box.width) * picture.width, ((event.clientY - box.top) / box.height) * picture.height]
  }
  const finish = () => {
    setDrawn(undefined)
    if (!drawn) return
    const area = between(picture, drawn.from, drawn.to)
    if (area.width >= 4 && area.height >= 4) onChange([...areas, area])
  }
  const press = (event: KeyboardEvent, index: number) => {
    const arrow = ARROWS[event.key]
    const area = areas[index]
    if (arrow && area) onChange(areas.with(index, pushed(picture, area, arrow, event.shiftKey)))
    else if (event.key === 'Delete' || event.key === 'Backspace') onChange(areas.toSpliced(index, 1))
    else return
    event.preventDefault()
  }
  const addInMiddle = () =>
    onChange([...areas, between(picture, [picture.width * 0.4, picture.height * 0.4], [picture.width * 0.6, picture.height * 0.6])])
  const shown = drawn ? [...areas, between(picture, drawn.from, drawn.to)] : areas
  return (
    <div className={style.hide} data-testid="hide-areas">
      <p className={style.soft}>{words.hideHelp}</p>
      <div className={style.canvas} dir="ltr">
        <img src={requestPictureUrl(request, picture.id)} width={picture.width} height={picture.height} alt="" draggable={false} />
        <svg
          viewBox={`0 0 ${picture.width} ${picture.height}`} data-testid="draw" role="group" aria-label={words.areas}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId)
            setDrawn({ from: at(event), to: at(event) })
          }}
          onPointerMove={(event) => {
            const to = at(event)
            setDrawn((before) => before && { ...before, to })
          }}
          onPointerUp={finish} onPointerCancel={() => setDrawn(undefined)}
        >
          {shown.map((area, index) => (
            <rect
              key={index} x={area.left} y={area.top} width={area.width} height={area.height} role="button" tabIndex={0}
              aria-label={words.area(format.number(index + 1))} data-testid="area" onKeyDown={(event) => press(event, index)}
            />
          ))}
        </svg>
      </div>
      <div className={style.hideButtons}>
        <Button variant="default" size="compact-sm" onClick={addInMiddle} data-testid="add-area">{words.addArea}</Button>
        {areas.map((_, index) => (
          <Button key={index} variant="subtle" size="compact-sm" onClick={() => onChange(areas.toSpliced(index, 1))} data-testid="remove-area">
            {words.removeArea(format.number(index + 1))}
          </Button>
        ))}
      </div>
      <Preview request={request} picture={picture} areas={areas} />
    </div>
  )
}

/** Exactly what will be public. */
function Preview({ request, picture, areas }: Omit<Props, 'onChange'>) {
  const { text } = useLanguage()
  const { data, error } = usePreview(request, picture.id, areas)
  return (
    <figure className={style.preview} data-testid="preview" data-areas={areas.length} data-there={data !== undefined}>
      <figcaption>{text.release.preview}</figcaption>
      <ErrorNotice error={error} />
      {data && <img src={data} width={picture.width} height={picture.height} alt={text.release.preview} />}
    </figure>
  )
}

const usePreview = (request: number, picture: string, areas: readonly Area[]) =>
  useQuery({
    queryKey: [...HIDDEN_PICTURES, request, picture, areas],
    queryFn: () => hiddenPicture(request, picture, areas),
    gcTime: 0,
    staleTime: Infinity,
  })
