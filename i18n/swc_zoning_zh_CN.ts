<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
<context>
    <name>SwcZoning</name>
    <message>
        <location filename="../swc_zoning/plugin.py"/>
        <source>Soil and Water Conservation Zoning</source>
        <translation>水土保持空间管控分区</translation>
    </message>
    <message>
        <location filename="../swc_zoning/plugin.py"/>
        <source>Delineate Control Zones…</source>
        <translation>划定管控分区…</translation>
    </message>
</context>
</TS>
