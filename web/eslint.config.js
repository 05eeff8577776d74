import js from '@eslint/js'
import a11y from 'eslint-plugin-jsx-a11y'
import hooks from 'eslint-plugin-react-hooks'
import ts from 'typescript-eslint'
import { DOMAIN } from './.dependency-cruiser.js'

/** A name with a word of the domain in it, like deskName, onRound and DESK_IDS. These are of the browser and of React. */
const lower = DOMAIN.join('|')
const capital = DOMAIN.map((word) => word[0].toUpperCase() + word.slice(1)).join('|')
const IN_NAME = `/^(?!requestAnimationFrame$|useCallback$)(.*(${capital})s?([A-Z]|$)|(${lower})s?([A-Z]|$)|(.*_)?(${lower.toUpperCase()})S?(_|$))/`
const MESSAGE = 'ui/ holds no words of the domain: move the part to its folder, or let a prop say it.'

export default ts.config(
  { ignores: ['dist/', 'shared/api/schema.gen.ts'] },
  js.configs.recommended,
  {
    files: ['{shared,src,my/src,map/src}/**/*.{ts,tsx}', 'first-load.ts', '{vite,my/vite,map/vite}.config.ts'],
    extends: [
      ...ts.configs.strictTypeChecked,
      a11y.flatConfigs.strict,
      hooks.configs.flat.recommended,
    ],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      'max-lines': ['error', { max: 200, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Event handlers are often `() => mutation.mutate()`.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['src/ui/**/*.{ts,tsx}'],
    rules: {
      'no-restricted-syntax': ['error', ...[
        `:not(MemberExpression[object.name="Math"]) > Identifier[name=${IN_NAME}]`, `JSXIdentifier[name=${IN_NAME}]`,
      ].map((selector) => ({ selector, message: MESSAGE }))],
    },
  },
)
