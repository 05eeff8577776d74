import {
  IconAlertTriangle, IconBike, IconBuilding, IconBulb, IconBus, IconCar, IconDots, IconDroplet, IconFlame, IconHome, IconPaw, IconRoad,
  IconTool, IconTrash, IconTrees, IconVolume, IconWall, type Icon,
} from '@tabler/icons-react'

/** By the names that the API knows (hotline/requests/categories.py). */
export const ICONS: Record<string, Icon> = {
  road: IconRoad, bulb: IconBulb, trash: IconTrash, trees: IconTrees, droplet: IconDroplet, building: IconBuilding, car: IconCar,
  volume: IconVolume, dots: IconDots, bus: IconBus, bike: IconBike, wall: IconWall, paw: IconPaw, flame: IconFlame,
  alert: IconAlertTriangle, home: IconHome, tool: IconTool,
}
