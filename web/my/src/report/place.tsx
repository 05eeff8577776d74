import { useEffect, useState } from 'preact/hooks'
import { DISTRICTS } from '../../../shared/language/city'
import { askCityMap, knownCityMap } from '../api/city-map'
import type { Report } from '../kept/report'
import { digits } from '../language/format'
import { text } from '../language/language'
import { Field } from '../ui/field'
import { Icon } from '../ui/icon'
import { late } from '../ui/late'
import { districtAt } from './district'
import { map, pin } from './icons'

const PlaceMap = late(() => import('./place-map').then((part) => part.PlaceMap))

const ASKED: PositionOptions = { enableHighAccuracy: true, timeout: 20_000, maximumAge: 60_000 }
/** A tenth of a metre is more than a phone knows. */
const rounded = (degrees: number) => Math.round(degrees * 1e6) / 1e6

interface Props {
  report: Report
  change: (change: Partial<Report>) => void
  wrong: string
}

/** Where it is: the phone's own point, a tap on the map, words, or several of them. */
export function Place({ report, change, wrong }: Props) {
  const [told, setTold] = useState('')
  const [city, setCity] = useState(knownCityMap)
  const [isOpen, setOpen] = useState(false)
  useEffect(() => void askCityMap().then(setCity, () => undefined), [])
  const found = (point: NonNullable<Report['point']>) => {
    const district = districtAt(city?.outlines, point)
    change(district ? { point, district } : { point })
  }
  const locate = () => {
    setTold(text.report.locating)
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        setTold('')
        found({ latitude: rounded(coords.latitude), longitude: rounded(coords.longitude), metres: Math.round(coords.accuracy) })
      },
      () => setTold(text.report.noPoint),
      ASKED,
    )
  }
  return (
    <fieldset>
      <legend>{text.report.place}</legend>
      {report.point ? (
        <p class="row"><span>{report.point.metres ? text.report.herePoint(digits(report.point.metres)) : text.report.mapPoint}</span>
          <button type="button" class="quiet" onClick={() => change({ point: null })}>{text.report.forget}</button></p>
      ) : null}
      <p class="row">
        {report.point ? null : <button type="button" class="quiet" onClick={locate}><Icon of={pin} />{text.report.here}</button>}
        {city && (city.about.tiles || city.outlines) ? (
          <button type="button" class="quiet" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}><Icon of={map} />{text.report.onMap}</button>
        ) : null}
      </p>
      {city && isOpen ? <PlaceMap.Part city={city} report={report} change={change} /> : null}
      <p role="status">{told}</p>
      <Field label={text.report.address} wrong={wrong}>
        <input name="place" maxLength={300} value={report.place} onInput={(event) => change({ place: event.currentTarget.value })} />
      </Field>
      <Field label={text.report.district}>
        <select
          value={report.district ?? ''}
          onChange={(event) => change({ district: Number(event.currentTarget.value) || null })}
        >
          <option value="">{text.report.districtUnknown}</option>
          {DISTRICTS.map((district) => <option key={district} value={district}>{text.report.districtOf(digits(district))}</option>)}
        </select>
      </Field>
    </fieldset>
  )
}
