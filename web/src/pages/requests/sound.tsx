import { useState } from 'react'
import { type CityRequest, requestSoundUrl } from '../../api/requests'
import { useLanguage } from '../../language/language'
import style from './requests.module.css'

/** What the citizen said. Nothing is fetched before somebody plays it: each hearing is on record. */
export function Sound({ request }: { request: CityRequest }) {
  const { text, format } = useLanguage()
  const [broken, setBroken] = useState(false)
  return (
    <div>
      {/* There is no text of it that could be its captions. */}
      {/* eslint-disable-next-line jsx-a11y/media-has-caption */}
      <audio
        controls controlsList="nodownload" preload="none" src={requestSoundUrl(request.id)} className={style.player} data-testid="sound"
        aria-label={text.requests.player(format.ticket(request.tracking))} onError={() => setBroken(true)} onPlaying={() => setBroken(false)}
      />
      <p className={style.soft}>{text.requests.heard}</p>
      <div role="alert" className="live">{broken && text.requests.broken}</div>
    </div>
  )
}
