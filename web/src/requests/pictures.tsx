import { useLanguage } from '../language/language'
import type { RequestDetail } from './queries'
import style from './requests.module.css'

/** What the citizen or the department has photographed; each opens whole beside this page. */
export function Pictures({ pictures, url }: { pictures: RequestDetail['pictures']; url: (picture: string) => string }) {
  const { text, format } = useLanguage()
  const words = text.requests
  if (pictures.length === 0) return null
  return (
    <ul className={style.pictures} data-testid="pictures">
      {pictures.map((picture, index) => (
        <li key={picture.id}>
          <a href={url(picture.id)} target="_blank" rel="noreferrer">
            <img
              src={url(picture.id)} width={picture.width} height={picture.height} loading="lazy"
              alt={words.picture(words.pictureKinds[picture.kind], format.number(index + 1))}
            />
          </a>
          <span className={style.soft}>{words.pictureKinds[picture.kind]}</span>
        </li>
      ))}
    </ul>
  )
}
