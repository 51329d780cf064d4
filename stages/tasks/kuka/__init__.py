"""The KUKA LBR iiwa that PyBullet ships, as long as the 14 R820: its kinematics and its simulation."""
