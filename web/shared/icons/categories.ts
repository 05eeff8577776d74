import { __iconNode as alert } from '@tabler/icons-react/icons/IconAlertTriangle'
import { __iconNode as bike } from '@tabler/icons-react/icons/IconBike'
import { __iconNode as building } from '@tabler/icons-react/icons/IconBuilding'
import { __iconNode as bulb } from '@tabler/icons-react/icons/IconBulb'
import { __iconNode as bus } from '@tabler/icons-react/icons/IconBus'
import { __iconNode as car } from '@tabler/icons-react/icons/IconCar'
import { __iconNode as dots } from '@tabler/icons-react/icons/IconDots'
import { __iconNode as droplet } from '@tabler/icons-react/icons/IconDroplet'
import { __iconNode as flame } from '@tabler/icons-react/icons/IconFlame'
import { __iconNode as home } from '@tabler/icons-react/icons/IconHome'
import { __iconNode as paw } from '@tabler/icons-react/icons/IconPaw'
import { __iconNode as road } from '@tabler/icons-react/icons/IconRoad'
import { __iconNode as tool } from '@tabler/icons-react/icons/IconTool'
import { __iconNode as trash } from '@tabler/icons-react/icons/IconTrash'
import { __iconNode as trees } from '@tabler/icons-react/icons/IconTrees'
import { __iconNode as volume } from '@tabler/icons-react/icons/IconVolume'
import { __iconNode as wall } from '@tabler/icons-react/icons/IconWall'
import type { Strokes } from './strokes'

/** The icon of each category, by the names that the API knows (hotline/requests/categories.py). */
export const CATEGORY_ICONS: Partial<Record<string, Strokes>> = {
  road, bulb, trash, trees, droplet, building, car, volume, dots, bus, bike, wall, paw, flame, alert, home, tool,
}
