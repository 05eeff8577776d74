import { Button, Checkbox, Group } from '@mantine/core'
import { useLanguage } from '../language/language'
import { passPictureUrl, type Side, usePasses } from './queries'
import style from '../requests/requests.module.css'

interface Props {
  side: Side
  id: number
  chosen: string[]
  onChoose: (pictures: string[]) => void
  /** No more pictures fit. */
  full: boolean
  onWords: (words: string) => void
}

/** What bodies outside the city have written and shown, to be used as one’s own evidence; a picture once. */
export function BodysEvidence({ side, id, chosen, onChoose, full, onWords }: Props) {
  const { text, format } = useLanguage()
  const words = text.passes
  const { data: passes = [] } = usePasses(side, id)
  const said = passes.filter(({ done, answer }) => done || answer)
  const pictures = passes.flatMap(({ body, pictures: shown }) => shown.map((picture) => ({ ...picture, body }))).filter(({ used }) => !used)
  return (
    <>
      {said.length > 0 && (
        <Group gap={8}>
          {said.map((pass) => (
            <Button key={pass.id} variant="default" size="compact-md" onClick={() => onWords(pass.done || pass.answer)} data-testid="use-words">
              {words.use(pass.body)}
            </Button>
          ))}
        </Group>
      )}
      {pictures.length > 0 && (
        <fieldset className={style.choices}>
          <legend>{words.theirs}</legend>
          {pictures.map((picture, index) => (
            <Checkbox
              key={picture.id} checked={chosen.includes(picture.id)} disabled={full && !chosen.includes(picture.id)} data-testid="use-picture"
              label={<><img src={passPictureUrl(side, id, picture.id)} width={96} height={72} alt="" /> {words.picture(picture.body, format.number(index + 1))}</>}
              onChange={({ currentTarget: { checked } }) => onChoose(checked ? [...chosen, picture.id] : chosen.filter((one) => one !== picture.id))}
            />
          ))}
        </fieldset>
      )}
    </>
  )
}
