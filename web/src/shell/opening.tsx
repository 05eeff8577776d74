import { useLocation } from 'wouter'
import { useLanguage } from '../language/language'
import { pages } from '../pages'
import { Loading } from '../ui/loading'

/** The head of a page whose code is on its way, as its HTML file has it before any code is there (first-load.ts). */
export function Opening() {
  const { text } = useLanguage()
  const [path] = useLocation()
  const page = pages.find(({ name }) => name === path.split('/')[1])
  return (
    <>
      {page && <header className="opening"><h1>{page.title(text)}</h1></header>}
      <Loading />
    </>
  )
}
